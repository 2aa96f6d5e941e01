// Package vm is Lua itself: gopher-lua made to compute what PUC Lua 5.1
// computes, bounded in time and memory, and locked down. It knows nothing of
// packets; the packet bindings (package luabind) sit on it.
//
// # How it is cut
//
//   - A [Chunk] is source compiled once: scanned for what the parser of
//     gopher-lua would choke on or misread, parsed, mended (the syntax tree is
//     rewritten where the compiler of gopher-lua is wrong), compiled. It is
//     immutable and shared by all states.
//   - A [State] is one Lua world: globals, library, budget. It belongs to one
//     goroutine at a time. [New] makes it, [State.Run] loads a chunk into it,
//     [State.Call] enters it for a packet or a timer, [State.Resume] runs a task
//     to its next wait.
//   - An entry is one such call from outside. It has a budget of VM instructions
//     that reaches everything the entry does: coroutines, pattern matching, sort,
//     calls from Go bindings back into Lua. A nested entry spends what the outer
//     one has left. What the budget allows depends on the script and its input
//     alone, never on the clock, so a replay stops at the same instruction.
//   - An [Error] says what went wrong, where, and why ([Reason]), so that the
//     caller can count it and decide about the packet.
//
// # What it rests on
//
// Nothing in gopher-lua is patched or forked. The budget is a context.Context
// whose Done method counts, because the VM asks it before every instruction
// (meter.go). Protected calls run on pooled coroutines, which mends gopher-lua's
// detached upvalues and lets a task wait inside pcall (pcall.go). What the VM
// hides (the frames and registers of a coroutine) is read by reflection, never
// written (frame.go).
//
// One package variable of gopher-lua is set, lua.MaxArrayIndex (tables.go): without
// it one assignment t[67108863] = 1 takes ten seconds and gigabytes.
package vm
