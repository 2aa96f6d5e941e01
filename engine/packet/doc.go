// Package packet is one packet: where its headers are, reading and changing
// their fields, building packets, answering them, and checksums.
//
// It knows bytes and the RFCs. It knows no device, no handler, no clock and no
// goroutine: time, the way in and out and a source of chance are handed in by
// who runs packets (package engine).
//
// # Layout
//
// A [Packet] is a frame inside a buffer with headroom on both sides. Its headers
// are found once, when first asked for, and kept as offsets in a [Layout]; views
// such as [TCPView] are one pointer wide and read and write the bytes in place.
// A header that is not wholly there, or that an earlier header does not lead
// to, has no view; a view kept while its header goes reads zeros and writes
// nothing, as does the view that comes with false. Whatever the bytes are, nothing here panics or reads outside the frame.
//
// # Checksums and lengths
//
// Lengths follow a change at once, so they always read as they will leave; one set
// by hand stays, and says nothing about the bytes that are there.
//
// Of checksums there are four states, one for the IPv4 header and one for the
// transport: a checksum is as it came (edits update it incrementally by RFC
// 1624, so a wrong one stays wrong), unfinished (the kernel's partial sum:
// edits of addresses and lengths adjust its seed), due (the packet was built or
// its payload replaced: the sum is computed once, when somebody needs it) or
// set by hand (it stays). [Packet.Bytes] finishes what is due or unfinished,
// [Packet.Unfinish] leaves to a device what the device can do. A fragment's
// transport checksum covers bytes that are elsewhere: it only follows edits.
//
// # Answers
//
// [Packet.Reply], [Packet.RST], [Packet.Unreachable] and [Packet.TTLExceeded] are
// new packets that leave where the question came in. One that the RFCs forbid is
// empty and says why, so that who returns it drops, and lets nothing through.
//
// # Texts
//
// [Packet.String] is one line, [Packet.Show] a tree, [Packet.Hex] the bytes, and
// [Packet.Code] the builder text of the Lua API that makes them. The last three see
// a packet as a list of headers whose fields have the API's names (describe.go and
// one file a protocol), so that what is shown is what a script reads and writes.
//
// # Ownership
//
// A packet belongs to who made it, by [Parse], [Build], [Packet.Clone] or an
// answer such as [Packet.Reply], until it is handed to an engine, as a verdict
// or by Send. One that an engine hands to a handler is borrowed: it may be read
// and changed until the handler returns, and [Packet.Clone] keeps a copy. A
// packet is used by one goroutine at a time.
package packet
