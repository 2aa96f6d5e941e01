package link

import "sync/atomic"

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
	Empty     uint64 // a length of 0; on UDP it says that the peer is there
	TooBig    uint64 // a length above the MTU
	Malformed uint64 // no IP packet, or no Ethernet frame
	Overrun   uint64 // the engine was behind: UDP only
	Stranger  uint64 // from somebody else than the peer: UDP only

	// Peers that were let go.
	Torn    uint64 // they ended within a frame
	Stalled uint64 // a frame that they had begun did not come to its end in time, or they did not read
	Refused uint64 // no TLS, a certificate that will not do, or another peer was there
}

// wrong is what was counted that better had not been, as attributes of a log's line.
func (s Stats) wrong(kind Kind) (attrs []any) {
	if kind == UDP {
		s.Empty = 0
	}
	for _, c := range []struct {
		name string
		n    uint64
	}{
		{"dropped", s.Dropped}, {"failed", s.Failed}, {"empty", s.Empty}, {"too_big", s.TooBig},
		{"malformed", s.Malformed}, {"overrun", s.Overrun}, {"stranger", s.Stranger},
		{"torn", s.Torn}, {"stalled", s.Stalled}, {"refused", s.Refused},
	} {
		if c.n > 0 {
			attrs = append(attrs, c.name, c.n)
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
