package frag

import "github.com/tunscript/tunscript/engine/packet"

// A Fate says what became of a fragment.
type Fate uint8

const (
	Held      Fate = iota + 1 // it waits for the rest of its datagram
	Joined                    // it completed its datagram
	Duplicate                 // the same bytes are there already
	Malformed                 // no datagram can have it: a length, an offset, a header checksum
	Overlap                   // it, or one before it, overlaps another
	Limit                     // too many fragments, or too much is held
	Expired                   // its datagram was not whole in time
)

var fates = [...]string{
	Held: "held", Joined: "joined", Duplicate: "duplicate", Malformed: "malformed",
	Overlap: "overlap", Limit: "limit", Expired: "expired",
}

func (f Fate) String() string {
	if f > 0 && int(f) < len(fates) {
		return fates[f]
	}
	return "unknown"
}

// An Abandoned is a datagram that will not be whole, with the fragments that were
// held for it. It is valid during the call that tells of it.
type Abandoned struct {
	Why       Fate         // Overlap, Malformed, Limit or Expired
	Fragments int          // that were held, 1 or more
	In        *packet.Port // where the first of them to arrive came in
	d         *datagram
	pool      *packet.Pool
}

// Packet is one of the fragments as it came: that at offset 0 if it is there, else
// the first to arrive. It is the caller's, from the Joiner's pool.
func (a Abandoned) Packet() *packet.Packet {
	if a.d == nil {
		return nil // nobody was told of it
	}
	return a.d.first(a.pool)
}
