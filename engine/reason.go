package engine

// A Reason says in a few words why a packet was dropped or lost. Log, counters
// and captures share it, so it is short, lower case and has no numbers in it.
type Reason string

// The engine's own reasons.
const (
	ReasonUnforwarded Reason = "unforwarded" // no way out: not a drop, the packet ends here
	ReasonTooBig      Reason = "too_big"     // larger than the MTU of its way out, and may not be cut
	ReasonError       Reason = "error"       // its handler failed, and on_error says drop
	ReasonEmpty       Reason = "empty"       // an answer that may not be given
	ReasonTaken       Reason = "taken"       // the packet was given away before
	ReasonGone        Reason = "device gone" // its way out is lost
	ReasonDown        Reason = "device down" // the kernel refuses it: the interface is not up
	ReasonFull        Reason = "full"        // the far ring or the kernel's memory
	ReasonRefused     Reason = "refused"     // the kernel calls it malformed
	ReasonTruncated   Reason = "truncated"   // longer than the buffer it was read into
	ReasonRing        Reason = "ring full"   // another worker is behind
)
