package control

import "github.com/tunscript/tunscript/tundev/link"

// Link is what a tunnel link has counted on the wire's side, in the order of
// configuration. Its device is among the others, too: what the engine has sent by that
// may be lost in the link.
type Link struct {
	Device   string `json:"device"`
	Peer     string `json:"peer"`     // who is there now; "" if nobody is
	Peers    uint64 `json:"peers"`    // how many came
	Received uint64 `json:"received"` // packets
	Sent     uint64 `json:"sent"`
	// Lost are packets and Parted peers that were let go, or not let in, by the words of
	// the log; those that have not happened are missing.
	Lost   map[string]uint64 `json:"lost,omitempty"`
	Parted map[string]uint64 `json:"parted,omitempty"`
}

// links are what links have counted.
func links(all []*link.Device) (list []Link) {
	for _, d := range all {
		s := d.Stats()
		list = append(list, Link{
			Device: d.Info().Name, Peer: s.Peer, Peers: s.Peers, Received: s.Received, Sent: s.Sent,
			Lost: happened(s.Lost()), Parted: happened(s.Parted()),
		})
	}
	return list
}

func happened(all []link.Count) map[string]uint64 {
	m := map[string]uint64{}
	for _, c := range all {
		if c.N > 0 {
			m[c.Word] = c.N
		}
	}
	return m
}
