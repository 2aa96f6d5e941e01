// Package flow knows which packets belong together: it holds the flows that
// somebody asked for, what programs keep with them, and the rules by which later
// packets of a flow need no program any more.
//
// It knows packets. It knows no worker, device or clock: the time is handed to
// every call that a packet comes with, chance is a source given at the start,
// and ways out are numbers that mean nothing here. A [Table] belongs to one
// goroutine.
//
// # What a flow is
//
// A TCP, UDP or SCTP flow is its addresses and ports; an echo is its addresses
// and id, asked from one side; everything else is its addresses and protocol. An
// ICMP error belongs to the flow that it quotes, in the direction it travels
// itself. Later fragments of a datagram carry no ports and are found by what its
// first fragment left behind; those that come before it have no flow, and nor
// have ARP and whatever is cut short before its ports.
//
// Both directions find the same flow. Forward is the direction of the packet
// that the flow was made for, but a SYN-ACK or an echo reply that comes first is
// an answer, and so goes back.
//
// # Keys
//
// A flow is in the index under two keys: how its packets come in forward and how
// they come in back. As long as nothing is rewritten each is the other, turned
// round. How packets leave follows from the keys alone: forward as the turned
// back key, back as the turned forward key. So to rewrite one direction is to
// change the key of the other, undoing it on the way back needs no second rule,
// and a rewrite that would lead to another flow's packets is a key that is taken.
//
// # Memory
//
// A flow is made when it is first asked for ([Table.Get]); packets only look
// ([Table.Find]). It takes 136 bytes, and what programs keep with it 32 bytes for
// each of them. Entries lie in slabs and name each other by number, so a million
// of them are no work for the garbage collector. A flow that is idle too long
// ends (state.go says after what); when the table is full, the least useful ends to make
// room: unanswered ones first, those with a rule last, and of equals the one
// idle longest. So a scan displaces itself.
//
// Nothing here goes through a map, so what happens depends on the packets, their
// times and the source of chance alone, and a run repeats to the byte.
package flow
