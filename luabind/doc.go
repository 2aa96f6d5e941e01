// Package luabind is the Lua API on top of the engine: it makes a Lua script an
// [engine.Program]. It is the only package, with luabind/vm below it, that knows
// gopher-lua; no type of it leaves here.
//
// A [Script] is source compiled once. For every worker and start it makes an
// instance: a Lua state of its own (package vm), an engine.Scope, and the
// userdata through which Lua sees packets. An instance runs on its worker's
// goroutine and nowhere else, so a script's globals are simply its state.
//
// # Packets in Lua
//
// A packet is a userdata, and so is each of its layers (p.ip, p.tcp). A field is
// looked up by name in a table of [field]s, one table a layer, one file a
// protocol; a name that is not there is an error with the nearest one.
//
// The packet that a handler gets is borrowed: it is the worker's buffer, and the
// next packet's a moment later. Its userdata is used again for the next packet,
// too, but only where the handler's code cannot have kept it, which the bytecode
// shows at load (escape.go); elsewhere every packet gets userdata of its own, and
// the old one says "use p:copy()". So a handler that only looks allocates
// nothing, and none ever sees somebody else's bytes.
//
// Every layer also has its raw bytes (raw.go), counted from its own first byte. A
// packet in the making is a list of parts (build.go) until somebody looks at it;
// then its bare layers are built and their fields set (assemble.go, bare.go), one by
// one as in a packet that came in, so a builder knows no field of its own. What
// p:show() and p:code() print is package packet's.
//
// What a script makes itself (p:reply(), p:copy(), builders) is its own until it
// is returned as a verdict, which gives it away; send takes a snapshot.
//
// # Flows
//
// p.flow is a plain table, made when a script first asks, and the same for every packet
// of the flow; the engine keeps it with the flow. The engine's names (dir, bypass,
// rewrite) stand in its metatable, one for each direction, so reading them calls no
// function. When the script is exchanged, the next one gets a copy, as data, when it
// first asks.
//
// # Tasks
//
// A task is a coroutine that waits (task.go). It runs to its next wait within one
// entry, whoever wakes it: a timer, a packet that engine.Scope.Await takes for it, or
// the handler that spawns it, whose budget its first step shares. Waiting costs the
// coroutine's registers, some 7 KB, and no goroutine.
//
// What a task waits for is a pattern (pattern.go). Its table is read once, when it is
// made: what a filter can say becomes one (pattern_native.go), so that the engine finds
// who waits by an index; other fields are compared natively for packets that the filter
// lets through, and Lua is asked last. A task's packet is a copy of its own.
//
// # From outside
//
// An [Eval] is Lua that somebody has typed: compiled where he is, run on the worker as if
// it stood in the script, and its results made into text there (eval.go), for they are the
// worker's. A handler's name is its place unless it has another; the engine knows both.
//
// # The registry
//
// The API stands in one registry: globals (globals.go), layers (kind.go) and classes
// (class.go), each name with its signature (signature.go) and meaning. What Lua sees
// is made of it, and [APIReference] is what the lint, the editor's stubs and the
// documentation see.
//
// # What goes wrong
//
// A mistake raises at the script's line, says what is wanted, and names the nearest
// word. A handler that fails is the engine's to count and decide about. A script that
// has broken its Lua state, by holding more memory than allowed, is started anew
// before the next packet.
package luabind
