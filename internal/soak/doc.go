// Package soak runs an engine at full load through all that may happen to it while it
// runs: scripts are exchanged, devices vanish and come back, handlers fail, hoard and
// spin, what is evaluated and loaded is hostile. What it held before, memory, goroutines
// and descriptors, it holds afterwards. The package has tests and nothing else:
//
//	go test ./internal/soak                     some seconds
//	TUNSCRIPT_SOAK=5m go test ./internal/soak   for 5 minutes
package soak
