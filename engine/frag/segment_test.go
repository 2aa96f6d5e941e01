package frag_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

type segment struct {
	Seq   uint32
	Flags string
	Len   int
	ID    uint16
}

// TCP is cut as the kernel cuts it.
func TestSegments(t *testing.T) {
	opts := []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}
	for _, tt := range []struct {
		name string
		tcp  packet.TCP
		n    int
		mtu  int
		want []segment
	}{
		{"one byte too many", packet.TCP{Seq: 100, Flags: packet.ACK}, 1461, 1500,
			[]segment{{100, "A", 1460, 7}, {1560, "A", 1, 8}}},
		{"FIN and PSH are the last one's", packet.TCP{Seq: 100, Flags: packet.ACK | packet.PSH | packet.FIN}, 2500, 1040,
			[]segment{{100, "A", 1000, 7}, {1100, "A", 1000, 8}, {2100, "FPA", 500, 9}}},
		{"CWR is the first one's, ECE and URG are everybody's", packet.TCP{Seq: 100, Flags: packet.ACK | packet.CWR | packet.ECE | packet.URG, Urgent: 9}, 2000, 1040,
			[]segment{{100, "AUEC", 1000, 7}, {1100, "AUE", 1000, 8}}},
		{"options stand in all", packet.TCP{Seq: 100, Flags: packet.ACK, Options: opts}, 2000, 1052,
			[]segment{{100, "A", 1000, 7}, {1100, "A", 1000, 8}}},
		{"sequence numbers wrap", packet.TCP{Seq: 0xffffffff, Flags: packet.ACK}, 2000, 1040,
			[]segment{{0xffffffff, "A", 1000, 7}, {999, "A", 1000, 8}}},
		{"a SYN takes a number", packet.TCP{Seq: 100, Flags: packet.SYN}, 2000, 1040,
			[]segment{{100, "S", 1000, 7}, {1101, "", 1000, 8}}},
		{"not even the headers fit", packet.TCP{Seq: 100, Flags: packet.ACK}, 100, 40, nil},
	} {
		for _, version := range []int{4, 6} {
			head, mtu := packet.Layer(packet.IPv4{Src: host4, Dst: peer4, ID: 7, DF: true}), tt.mtu
			if version == 6 {
				head, mtu = packet.IPv6{Src: host6, Dst: peer6}, tt.mtu+20
			}
			p := build(t, head, tt.tcp, counted(tt.n))
			p.SetCame(packet.Whole)
			var got []segment
			var data []byte
			for _, q := range cut(t, p, mtu) {
				v, _ := q.TCP()
				s := segment{Seq: v.Seq(), Flags: v.Flags().String(), Len: len(q.Payload()), ID: uint16(7 + len(got))}
				if ip, ok := q.IPv4(); ok {
					if s.ID = ip.ID(); !ip.DF() {
						t.Error("DF is gone")
					}
				}
				if v.Urgent() != tt.tcp.Urgent || !bytes.Equal(v.Options().Bytes(), tt.tcp.Options) {
					t.Errorf("%s: %v has not all of the header", tt.name, q)
				}
				data = append(data, q.Payload()...)
				got = append(got, s)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, IPv%d: %s", tt.name, version, diff)
			}
			if tt.want != nil && !bytes.Equal(data, counted(tt.n)) {
				t.Errorf("%s, IPv%d: the bytes are not what they were", tt.name, version)
			}
		}
	}
}

// TCP that came in fragments leaves in fragments, not in more segments.
func TestTCPInFragments(t *testing.T) {
	p := build(t, ip4(packet.TCP{Flags: packet.ACK}, counted(100))...)
	p.SetCame(36)
	ps := cut(t, p, 1500)
	if len(ps) != 8 || !ps[0].Layout().Fragment() {
		t.Errorf("%d pieces, want 8 fragments", len(ps))
	}
}

// A wrong checksum is wrong in every segment, an unfinished one is right.
func TestChecksumsOfSegments(t *testing.T) {
	p := build(t, ip4(packet.TCP{Flags: packet.ACK}, counted(3000))...)
	v, _ := p.TCP()
	v.SetChecksum(v.Checksum() ^ 0x100)
	ps, ok := frag.Cut(nil, p, 1500, nil)
	if !ok {
		t.Fatal("it is not cut")
	}
	for _, q := range ps {
		if layer, ok := q.Valid(); ok || layer != "tcp" {
			t.Errorf("%v has become right", q)
		}
	}
	p = build(t, ip4(packet.TCP{Flags: packet.ACK}, counted(3000))...)
	p.Unfinish()
	cut(t, p, 1500) // which looks whether they are valid
	for _, q := range cut(t, p, 1500) {
		again, _ := packet.Parse(q.Bytes(), packet.IP)
		if layer, ok := again.Valid(); !ok {
			t.Errorf("%v: its %s is wrong on the wire", q, layer)
		}
	}
}
