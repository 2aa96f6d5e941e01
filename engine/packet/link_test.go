package packet_test

import (
	"bytes"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestEthernetComesAndGoes(t *testing.T) {
	for _, l := range [][]packet.Layer{ip4(packet.UDP{}, packet.Payload("x")), ip6(packet.TCP{}, packet.Payload("x"))} {
		p := build(t, l...)
		want := bytes.Clone(p.Bytes())
		p.PushEthernet(peerMAC, hostMAC)
		eth, ok := p.Ethernet()
		if !ok || p.Link() != packet.Ethernet || eth.Dst() != peerMAC || eth.Src() != hostMAC || p.Len() != len(want)+14 {
			t.Fatalf("%v", p)
		}
		if err := p.PushVLAN(0xa05, 3); err != nil {
			t.Fatal(err)
		}
		v, ok := p.VLAN()
		if !ok || v.ID() != 0xa05 || v.Prio() != 3 || eth.Src() != hostMAC || eth.Type() != packet.TypeVLAN {
			t.Fatalf("%v", p)
		}
		if layer, ok := p.Valid(); !ok {
			t.Errorf("%s is not valid", layer)
		}
		p.PushVLAN(6, 0)
		if err := p.PushVLAN(7, 0); err == nil {
			t.Error("a third tag hides what is behind it")
		}
		if !p.PopVLAN() || v.ID() != 0xa05 {
			t.Errorf("the outer tag went: %v", p)
		}
		if !p.PopEthernet() || !bytes.Equal(p.Bytes(), want) {
			t.Errorf("got\n%s", p.Hex(false))
		}
		if p.PopVLAN() || p.PushVLAN(1, 0) == nil {
			t.Error("there is no tag on an IP packet")
		}
	}
	arp := build(t, packet.Eth{}, packet.ARP{})
	if arp.PopEthernet() {
		t.Error("ARP cannot do without Ethernet")
	}
}

func TestHeadroomRunsOut(t *testing.T) {
	p := build(t, packet.Eth{}, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{}, packet.Payload("x"))
	for range 100 {
		p.PushVLAN(5, 0)
		p.PushVLAN(6, 0)
		p.PopEthernet()
		p.PushEthernet(peerMAC, hostMAC)
	}
	if layer, ok := p.Valid(); !ok || string(p.Payload()) != "x" {
		t.Errorf("%s is not valid: %v", layer, p)
	}
}
