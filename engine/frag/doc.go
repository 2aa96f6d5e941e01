// Package frag joins the fragments of IP datagrams and cuts packets that are too
// large for their way out.
//
// It knows packets and the RFCs. It knows no device, handler, clock or goroutine:
// time comes in as an argument, buffers come from a [packet.Pool], and who runs
// packets (package engine) decides what is joined and what is cut.
//
// # Joining
//
// A [Joiner] copies what it is given and keeps no packet. What it holds is bounded
// by [Limits] in datagrams and in bytes, whatever is sent to it; the oldest
// datagram goes first. A datagram that was given up (an overlap, too many
// fragments, lengths that contradict each other) stays behind as a mark until its
// time is over, so that its later fragments do not begin another one.
//
// Overlaps: RFC 8200 section 4.5 (RFC 5722) wants an IPv6 datagram with overlapping
// fragments to be abandoned, and IPv4 is treated alike, as Linux does since 4.20.
// RFC 791 would let the later bytes win, but two hosts that choose differently are
// two readings of one packet, and honest senders do not overlap. An exact
// duplicate, same place and same bytes, happens in networks and is ignored.
//
// That the first fragment has all headers (RFC 7112) is not asked: nobody looks at
// it before the datagram is whole.
//
// # Cutting
//
// [Cut] makes of one packet those that fit: TCP is cut into segments, everything
// else is fragmented where that is allowed. Both are here because they are two
// answers to one question, and who asks should not have to know which it is. A
// super-packet, which the kernel has promised to cut, is not too large and none of
// this package's business.
//
// Checksums: pieces carry sums that are due or finished, right if that of the packet
// was right; one that was wrong on purpose is wrong in the pieces, by the same
// difference.
package frag
