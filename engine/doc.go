// Package engine is the pipeline: it reads packets from devices, lets programs
// decide about them, and writes what comes out.
//
//	read batch -> chain of handlers -> way out -> fix-up -> write batch
//
// It knows devices and programs as interfaces ([Device], [Program]) and packets
// from package packet. It does not know Lua, TUN, files or configuration.
//
// # Workers
//
// A worker is one goroutine that owns a queue of every device, one instance of
// every program, its timers and its buffers. It reads a batch, runs every packet
// to completion and writes what came out, in order. It sleeps in one place, so
// packets, timers, posts and exchanges of programs never race, and a program
// needs no lock. There is one worker, on the goroutine that calls [Engine.Run].
//
// # Who may call what
//
// [Engine]'s methods are safe from any goroutine. A [Scope], what it returns and
// the packets that handlers get belong to the worker, but for [Scope.Post].
//
// # Ownership of packets
//
// A handler's packet is borrowed: it may read and change it until it returns,
// and keeps one with Clone. [Scope.Send] copies a borrowed packet and takes any
// other over, as a verdict does; one that was given away already is [ErrTaken].
package engine
