// Package examples holds the example scripts, each a file of its own. They are
// embedded, so that the command can show one where nothing is installed.
package examples

import "embed"

// Files are the scripts, by file name.
//
//go:embed *.lua
var Files embed.FS
