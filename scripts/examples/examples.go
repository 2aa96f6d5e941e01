// Package examples holds the example scripts and configurations, each a file of its own.
// They are embedded, so that the command can show one where nothing is installed.
package examples

import "embed"

// Files are the scripts and the configurations, by file name.
//
//go:embed *.lua *.toml
var Files embed.FS
