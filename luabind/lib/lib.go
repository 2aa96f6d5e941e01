// Package lib is the modules that ship with tunscript and are written in Lua, on the
// API that every script has: there is nothing in them that a script could not do. They
// are read to be changed as well as used; a file of the same name beside a script goes
// before them.
package lib

import "embed"

// FS holds them, as name.lua.
//
//go:embed *.lua
var FS embed.FS
