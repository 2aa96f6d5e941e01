package packet_test

import (
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestARPRequestIsAnsweredFromOurMAC(t *testing.T) {
	p := build(t, packet.Eth{Src: hostMAC, Dst: packet.Broadcast}, packet.ARP{SHA: hostMAC, SPA: host4, TPA: peer4})
	p.In = tap0
	q := p.Reply()
	eth, _ := q.Ethernet()
	v, ok := q.ARP()
	if !ok || v.Op() != packet.ARPReply || v.SHA() != tap0.PeerMAC || v.SPA() != peer4 || v.THA() != hostMAC || v.TPA() != host4 ||
		eth.Src() != tap0.PeerMAC || eth.Dst() != hostMAC || eth.Type() != packet.TypeARP {
		t.Errorf("%v > %v: %v", eth.Src(), eth.Dst(), q)
	}
	if r := q.Reply(); r.Len() != 0 {
		t.Errorf("an ARP reply is answered: %v", r)
	}
	p.In = nil
	if v, _ := p.Reply().ARP(); v.SHA() != peerMAC {
		t.Errorf("without a port from %v, want the default %v", v.SHA(), peerMAC)
	}
}

func TestNeighborSolicitationIsAnswered(t *testing.T) {
	target := netip.MustParseAddr("2001:db8::77")
	group := packet.MAC{0x33, 0x33, 0xff, 0, 0, 0x77}
	ns := packet.ICMPv6{Type: packet.NeighborSolicit, Target: target, LLAddr: hostMAC}
	for _, tt := range []struct {
		src, dst string
		flags    uint8
		to       packet.MAC
	}{
		{"2001:db8::1", "2001:db8::1", packet.NASolicited | packet.NAOverride, hostMAC},
		{"::", "ff02::1", packet.NAOverride, packet.MAC{0x33, 0x33, 0, 0, 0, 1}}, // looking for duplicates
	} {
		p := build(t, packet.Eth{Src: hostMAC, Dst: group},
			packet.IPv6{Src: netip.MustParseAddr(tt.src), Dst: netip.MustParseAddr("ff02::1:ff00:77")}, ns)
		p.In = tap0
		q := p.Reply()
		eth, _ := q.Ethernet()
		ip, _ := q.IPv6()
		v, ok := q.ICMPv6()
		a, _ := v.Target()
		mac, _ := v.LLAddr()
		if !ok || v.Type() != packet.NeighborAdvert || v.Flags() != tt.flags || a != target || mac != tap0.PeerMAC ||
			ip.Src() != target || ip.Dst().String() != tt.dst || ip.TTL() != 255 || eth.Src() != tap0.PeerMAC || eth.Dst() != tt.to {
			t.Errorf("from %s: %v > %v, flags %#x, ttl %d: %v", tt.src, eth.Src(), eth.Dst(), v.Flags(), ip.TTL(), q)
		}
		if layer, ok := q.Valid(); !ok {
			t.Errorf("from %s: %s is not valid", tt.src, layer)
		}
		if err := v.SetLLAddr(packet.MAC{2, 2, 2, 2, 2, 2}); err != nil || q.Len() != 14+40+32 {
			t.Errorf("the answer takes another address: %v, %d bytes", err, q.Len())
		}
	}
}
