// Package engine is the pipeline: it reads packets from devices, lets programs
// decide about them, and writes what comes out.
//
//	read batch -> steer -> faults -> flow rules -> chain of handlers -> way out
//	way out -> rewrite -> cut to MTU -> faults -> join -> fix-up -> write batch
//
// Fragments are joined inside the chain, in front of the first handler that asks
// for it, and not at all where none does.
//
// It knows devices and programs as interfaces ([Device], [Program]) and packets
// from package packet. It does not know Lua, TUN, files or configuration.
//
// # Workers
//
// A worker is one goroutine that owns a queue of every device, one instance of
// every program, its timers, flows and buffers. It reads a batch, runs every packet
// to completion and writes what came out, in order. It sleeps in one place, so
// packets, timers, posts and exchanges of programs never race, and a program
// needs no lock. The first one runs on the goroutine that calls [Engine.Run]; it
// writes for those that have no queue of a device, and sees to devices that are lost.
//
// Workers share two things. A ring for each (ring.go) holds what others have for it:
// packets and posts, which may be too many and then are refused, and beside them, in a
// list that refuses nothing, exchanges of programs, stops and results of calls. Packets
// go over with the batch, one lock for all of them, and buffers come back the same way.
//
// And a directory (package flow) says whose a flow is: the worker's that met it first,
// which handles all of its packets, whoever reads them, and writes them. So what programs
// keep of a flow is in one place, and the kernel, which leads a flow to the queue that it
// was last written to, learns from the owner's writes; its own choice is wrong for answers
// to rewritten flows, for fragments and for what was idle for 3 s. A worker that knows a
// packet's flow asks nobody; one that does not asks the directory, and claims what nobody
// has. What leaves is claimed, too, for its answers belong to who sent it; and a packet of
// another's flow is sent by that one. With one worker none of this exists.
//
// Programs are prepared for all workers before any exchanges them, and each exchanges
// before its next packet; which of them does so first nobody can say. Faults are each
// worker's: of a link whose rate counts there should be one.
//
// # Devices that come back
//
// A device that fails is lost, and not the end of a run: its lanes leave the workers, the
// others go on. Where it is a [Reopener] the first worker has it try again, on a goroutine
// of its own, 50 ms later and then up to 2 s apart, or at once when it calls Env.Wake; its
// new queues go to the workers that had the old ones. [OnLost] can have a loss end the
// run instead, and when none can come back any more Run returns the losses.
//
// # What waits
//
// A program may wait for a packet ([Scope.Await]): what waits stands in the chain
// where its program's handlers of prio 0 begin, and takes the packet that it has
// waited for. That is all that tasks need. A packet costs nothing more where nobody
// waits, and about the same whether one waits or a thousand.
//
// # Flows
//
// [Scope.Flow] is the flow of a packet (package flow says what one is): a value of
// the program's own, and rules. Rules stand in front of the chain: a packet that is
// to be dropped never reaches it, and a program that is done with a flow is passed
// over. A rewrite is applied to what leaves, so every program sees packets as they
// came in; what a program sends is rewritten, too, if it looks like a packet that
// came in. Where nobody asks for a flow none of this costs anything; where somebody
// does, every packet is looked up, or who is answered by nobody's handler would seem
// idle.
//
// # Super-packets
//
// A device may hand over, in place of many segments of a flow, one super-packet
// (package offload), and take such ones ([Supers]). One that nobody wants, or only
// handlers with Super, goes through whole. From the first task or handler on that may
// want a segment of it, each segment goes through the rest of the chain before the next
// does, as if packets had come one by one; what is not changed leaves as a super-packet
// again, what is changed is joined where it fits. Faults are about packets on the wire:
// where there are any, super-packets are cut. So they are for a device that takes none.
// Counters count packets on the wire; observers see super-packets whole.
//
// # Faults
//
// A bad link ([Config.Impair], [Scope.Impair]) is a stage at the device. Package
// impair decides about each packet, and the engine does it: it drops, copies,
// damages, and holds what is delayed until its time has come, at most Config.Held
// packets.
//
// # Looking in
//
// [Engine.Stats] reads what workers have published; [Engine.Observe] sees packets and
// decisions; [Engine.Do] calls a function between two packets with a program's scope, where
// Scope.Value is what the program shows of itself; [Engine.Flows] lists flows in pages;
// [Engine.Profile] has handlers timed. Where nobody looks a packet costs the same as if
// none of this were there.
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
