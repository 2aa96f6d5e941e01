// Package link has tunnel links as devices of an engine: what one engine sends, another
// program on the network receives as a packet, and the other way round.
//
// On a [TCP] link every packet has its length before it, 16 bits, big-endian. That is the
// wire format of simpletun, so either end may be that program. With certificates the
// stream is TLS 1.3. On a [UDP] link every packet is a datagram, and one without bytes only
// says that its sender is there.
//
// It implements engine.Device, as a driver does, and knows of the engine only that
// interface; of packets that they are bytes, and that a TCP checksum may be right. It knows
// no TUN device and no configuration file.
//
// # Goroutines
//
// From Attach to Close a link has one goroutine that finds a peer and reads it, and,
// while there is a peer, one that writes. A TCP link that waits has one more at the door,
// and one for each of those, few, who are busy with TLS; a UDP link that knows its peer has
// one that says so to it. Between reader or writer and the worker is a ring with bounds.
// The worker never waits: what finds the outgoing ring full, or no peer, is lost and
// counted, as in the kernel's own ring. A reader that finds the incoming ring full waits on
// TCP, so that the peer is slowed down, and drops on UDP, where nobody is.
//
// # Whatever the peer does
//
// It may write half a frame and stop, or go on with a byte now and then, say that a packet
// has no bytes or more than the MTU, stop reading, or go: each is counted in [Stats], which
// the log has when a peer is gone, and a link that has lost its peer looks for the next
// one. There is one peer at a time. A second one that connects to a TCP link is refused
// until the first is gone; a second one that sends to a UDP link is heard when the first
// was silent for ten seconds.
//
// # Memory
//
// A packet is copied from the socket's buffer into the ring, and from there into the buffer
// of the worker's pool; many are read, and written, by one system call. The steady state
// allocates nothing.
package link
