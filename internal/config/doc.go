// Package config reads the TOML file that says what tunscript runs: which
// devices with which addresses, which scripts, which limits.
//
// It knows the text of the file and nothing else: no device is opened, no
// script loaded, no user looked up. What can be found wrong without that is
// found here, all of it at once, and every mistake carries its line, the source
// with a caret below it, and, where there is one, the word that was probably
// meant. What only shows later (a filter that does not compile, a file that is
// not there) is reported in the same form through [Config.Mistake].
//
// A file goes through four steps, each in a file of its own:
//
//	scan    where every key and value stands in the text      scan.go
//	parse   the grammar of TOML, by BurntSushi/toml           syntax.go
//	decode  the tree into structs: keys, types, ranges, units decode.go
//	check   one value against another                         check*.go
//
// The structs are not filled by the TOML library itself: it stops at the first
// mistake, takes MTU for mtu, makes 5 ns of `delay = 5`, gives unknown keys no
// line, and every [[device]] the line of the last one. So it is asked for the
// plain tree, and decode.go walks that against the same struct tags.
//
// Elements are counted from 1, as in Lua: the second device's MTU is
// device[2].mtu, in messages and in the keys that Mistake takes.
//
// A Config is plain data: it belongs to who loaded it and has no locks.
package config
