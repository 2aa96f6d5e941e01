package link_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/link"
)

// Two links find each other, and what one sends the other receives, whatever the kind.
func TestPacketsGoBothWays(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind link.Kind
		link packet.LinkType
		make func(int, byte) []byte
	}{
		{"tcp", link.TCP, packet.IP, udp},
		{"tcp, ethernet", link.TCP, packet.Ethernet, ethernet},
		{"udp", link.UDP, packet.IP, udp},
		{"udp, ethernet", link.UDP, packet.Ethernet, ethernet},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leaks(t)
			a := open(t, link.Config{Name: "a", Kind: tt.kind, Link: tt.link, Local: anyPort}, nil)
			b := open(t, link.Config{Name: "b", Kind: tt.kind, Link: tt.link, Remote: a.dev.Addr()}, nil)
			b.until("a peer", connected)
			for i, n := range []int{42, 60, 576, 1500} {
				b.send(tt.make(n, byte(i)))
				a.expect(tt.make(n, byte(i)))
				a.send(tt.make(n, byte(i)))
				b.expect(tt.make(n, byte(i)))
			}
			for _, w := range []*worker{a, b} {
				w.until("4 packets each way", func(s link.Stats) bool { return s.Sent == 4 && s.Received == 4 })
				s := w.dev.Stats()
				if s.Peers != 1 || s.Dropped+s.Malformed+s.TooBig+s.Empty > 0 {
					t.Errorf("%s: %+v, want one peer and nothing lost", w.dev.Info().Name, s)
				}
			}
		})
	}
}

// Datagrams of equal size leave together, and whatever their sizes each arrives as what it
// was, in order.
func TestManyDatagramsAtOnce(t *testing.T) {
	leaks(t)
	a := open(t, link.Config{Name: "a", Kind: link.UDP, Local: anyPort}, nil)
	b := open(t, link.Config{Name: "b", Kind: link.UDP, Remote: a.dev.Addr()}, nil)
	b.until("an address", connected)
	var sizes []int
	for _, run := range [][2]int{{600, 70}, {100, 1}, {1500, 2}, {28, 1}, {29, 1}, {28, 66}, {1500, 1}, {1499, 3}} {
		sizes = append(sizes, slices.Repeat(run[:1], run[1])...)
	}
	var batch []*packet.Packet
	for i, n := range sizes {
		batch = append(batch, packets(t, udp(n, byte(i)))...)
	}
	b.do <- func() { b.q.Write(batch, b.lose) }
	for i, n := range sizes {
		a.expect(udp(n, byte(i)))
	}
	b.until("all sent", func(s link.Stats) bool { return s.Sent == uint64(len(sizes)) && s.Failed == 0 })
}

// Datagrams between two addresses that know each other: a third is not heard.
func TestUDPBetweenTwoThatKnowEachOther(t *testing.T) {
	leaks(t)
	first, err := link.Open(link.Config{Name: "port", Kind: link.UDP, Local: anyPort})
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(first.Addr())
	first.Close() // and its port is free
	a := open(t, link.Config{Name: "a", Kind: link.UDP, Local: anyPort, Remote: at.String()}, nil)
	b := open(t, link.Config{Name: "b", Kind: link.UDP, Local: at, Remote: a.dev.Addr()}, nil)
	stranger := open(t, link.Config{Name: "stranger", Kind: link.UDP, Remote: a.dev.Addr()}, nil)
	for _, w := range []*worker{a, b, stranger} {
		w.until("an address", connected)
	}
	stranger.send(udp(100, 9))
	a.until("a stranger", func(s link.Stats) bool { return s.Stranger > 0 })
	b.send(udp(100, 1))
	a.expect(udp(100, 1))
	a.send(udp(100, 2))
	b.expect(udp(100, 2))
}

// A UDP link that waits answers who spoke last, but for those who speak while it does.
func TestUDPHasOnePeerAtATime(t *testing.T) {
	leaks(t)
	a := open(t, link.Config{Name: "a", Kind: link.UDP, Local: anyPort}, nil)
	a.send(udp(100, 0))
	a.until("a packet without a peer", func(s link.Stats) bool { return s.Dropped == 1 })
	b := open(t, link.Config{Name: "b", Kind: link.UDP, Remote: a.dev.Addr()}, nil)
	a.until("a peer that has said nothing yet but that it is there", connected)
	a.send(udp(100, 1))
	b.expect(udp(100, 1))
	c := open(t, link.Config{Name: "c", Kind: link.UDP, Remote: a.dev.Addr()}, nil)
	c.until("an address", connected)
	c.send(udp(100, 2))
	a.until("a stranger", func(s link.Stats) bool { return s.Stranger > 0 })
	a.send(udp(100, 3))
	b.expect(udp(100, 3))
	if s := a.dev.Stats(); s.Dropped != 1 {
		t.Errorf("%+v, want the packet dropped that had no peer", s)
	}
}
