package engine

// A Reason says in a few words why a packet was dropped or lost. Log, counters
// and captures share it, so it is short, lower case and has no numbers in it.
type Reason string

// The engine's own reasons.
const (
	ReasonUnforwarded Reason = "unforwarded"            // no way out: not a drop, the packet ends here
	ReasonTooBig      Reason = "too_big"                // larger than the MTU of its way out, and may not be cut
	ReasonError       Reason = "error"                  // its handler failed, and on_error says drop
	ReasonEmpty       Reason = "empty"                  // an answer that may not be given
	ReasonTaken       Reason = "taken"                  // the packet was given away before
	ReasonGone        Reason = "device gone"            // its way out is lost
	ReasonDown        Reason = "device down"            // the kernel refuses it: the interface is not up
	ReasonFull        Reason = "full"                   // the far ring or the kernel's memory
	ReasonRefused     Reason = "refused"                // the kernel calls it malformed
	ReasonMalformed   Reason = "malformed super-packet" // lengths that contradict each other, or a kind nobody knows
	ReasonTruncated   Reason = "truncated"              // longer than the buffer it was read into
	ReasonInboxFull   Reason = "inbox full"             // a task keeps no more packets than that
	ReasonRing        Reason = "ring full"              // the worker that it was for is behind
	ReasonFlow        Reason = "flow rule"              // a program has said so of all packets of the flow

	// Of faults there are more: package impair's.
	ReasonDelayed Reason = "impair_delay" // it goes on later: not a drop, but for those that wait when the run ends

	// Of fragments, where a handler asked for Defrag. What a datagram held when it was
	// given up is counted a second time, by why it was.
	ReasonHeld          Reason = "fragment"           // taken in until its datagram is whole, or completing it: not a drop
	ReasonFragExpired   Reason = "fragment expired"   // its datagram was not whole after 30 s, 60 s for IPv6, or when the run ended
	ReasonFragOverlap   Reason = "fragment overlap"   // it, or one of its datagram, overlaps another: RFC 5722
	ReasonFragLimit     Reason = "fragment limit"     // too many of one datagram, or too much is held: the oldest goes
	ReasonFragMalformed Reason = "fragment malformed" // a length, offset or header checksum that no fragment can have
	ReasonFragDuplicate Reason = "fragment duplicate" // the same bytes came before
)
