package link

import (
	"slices"
	"sync/atomic"
)

// Stats is what a link has counted since it was opened, in packets where nothing else
// is said. Counts only grow.
type Stats struct {
	Peer     string // address of who is there now; "" if nobody is
	Peers    uint64 // how many came
	Received uint64 // and were given to the engine's side
	Sent     uint64 // and were given to the system

	// Sent by the engine, but not over the wire.
	Dropped uint64 // found no peer, or the ring full; or waited when the peer went
	Failed  uint64 // the system did not take it: UDP only

	// Sent by the peer, but not to the engine.
	Empty     uint64 // a length of 0: TCP only
	TooBig    uint64 // a length above the MTU
	Malformed uint64 // no IP packet, or no Ethernet frame
	Overrun   uint64 // the engine was behind: UDP only
	Stranger  uint64 // from somebody else than the peer: UDP only

	// Peers that were let go.
	Torn    uint64 // they ended within a frame
	Stalled uint64 // a frame that they had begun did not come to its end in time, or they did not read
	Refused uint64 // no TLS, a certificate that will not do, or another peer was there
}

// A Count is how often one thing went wrong, under the word that logs, statistics and
// metrics have for it.
type Count struct {
	Word string // "too_big"
	N    uint64
}

// Lost is why packets were lost, those words included that have not happened.
func (s Stats) Lost() []Count {
	return []Count{
		{"dropped", s.Dropped}, {"failed", s.Failed}, {"empty", s.Empty}, {"too_big", s.TooBig},
		{"malformed", s.Malformed}, {"overrun", s.Overrun}, {"stranger", s.Stranger},
	}
}

// Parted is why peers were let go, or not let in, as Lost is for packets.
func (s Stats) Parted() []Count {
	return []Count{{"torn", s.Torn}, {"stalled", s.Stalled}, {"refused", s.Refused}}
}

// wrong is what has gone wrong, as attributes of a log's line.
func (s Stats) wrong() (attrs []any) {
	for _, c := range slices.Concat(s.Lost(), s.Parted()) {
		if c.N > 0 {
			attrs = append(attrs, c.Word, c.N)
		}
	}
	return attrs
}

// counters are Stats as the goroutines of a link count them.
type counters struct {
	peer                                        atomic.Pointer[string]
	peers, received, sent                       atomic.Uint64
	dropped, failed                             atomic.Uint64
	empty, tooBig, malformed, overrun, stranger atomic.Uint64
	torn, stalled, refused                      atomic.Uint64
}

func (c *counters) snapshot() Stats {
	s := Stats{
		Peers: c.peers.Load(), Received: c.received.Load(), Sent: c.sent.Load(),
		Dropped: c.dropped.Load(), Failed: c.failed.Load(),
		Empty: c.empty.Load(), TooBig: c.tooBig.Load(), Malformed: c.malformed.Load(),
		Overrun: c.overrun.Load(), Stranger: c.stranger.Load(),
		Torn: c.torn.Load(), Stalled: c.stalled.Load(), Refused: c.refused.Load(),
	}
	if p := c.peer.Load(); p != nil {
		s.Peer = *p
	}
	return s
}

// came notes a new peer.
func (c *counters) came(peer string) {
	c.peers.Add(1)
	c.peer.Store(&peer)
}
