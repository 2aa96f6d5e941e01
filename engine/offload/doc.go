// Package offload is about super-packets: what a device with a vnet header hands over
// in place of up to some dozens of TCP or UDP packets of one flow, with one header in
// front of all their payload.
//
// [Walker.Walk] shows its segments one after the other as the ordinary packets that
// they stand for, in place, and hands back what became of them as few packets as
// possible: untouched segments behind each other are one super-packet again.
// [Walker.Split] makes ordinary packets of all of them, for a device that takes no
// super-packets. A [Joiner] makes super-packets of ordinary packets that leave one
// behind the other.
//
// It knows packets, and neither handlers nor devices. What segments look like is the
// kernel's own cutting, to the byte (net/ipv4/tcp_offload.c, udp_offload.c): FIN and
// PSH are the last segment's, CWR is the first's (RFC 3168 section 6.1.2), everything
// else stands in all of them, and IPv4's identification counts on, also with DF.
// Transport checksums stay unfinished: each segment has the seed for its own length.
//
// # Ownership
//
// A super-packet stays the caller's. Packets that are handed out come from the pool of
// the Walker and belong to who gets them. A Walker and a Joiner belong to one
// goroutine, and allocate nothing once the pool is warm.
package offload
