package packet_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func synWith(t testing.TB, opts ...byte) (*packet.Packet, packet.TCPOptions) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Sport: 1, Dport: 2, Flags: packet.SYN, Options: opts}, packet.Payload("data"))
	v, _ := p.TCP()
	return p, v.Options()
}

// linuxSYN is what Linux sends: mss, sackOK, timestamps, nop, wscale.
var linuxSYN = []byte{2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7}

func TestOptionsAreReadByName(t *testing.T) {
	_, o := synWith(t, linuxSYN...)
	mss, ok1 := o.MSS()
	ws, ok2 := o.WScale()
	val, ecr, ok3 := o.Timestamps()
	if mss != 1460 || ws != 7 || val != 1 || ecr != 2 || !o.SackPermitted() || !ok1 || !ok2 || !ok3 {
		t.Errorf("mss %d, wscale %d, timestamps %d %d, sackOK %v", mss, ws, val, ecr, o.SackPermitted())
	}
	if _, _, ok := o.Sack(); ok {
		t.Error("there is no SACK block")
	}
	if err := o.SetSack(packet.SackBlock{Left: 5, Right: 9}, packet.SackBlock{Left: 1 << 31, Right: 1<<31 + 3}); err != nil {
		t.Fatal(err)
	}
	if b, n, ok := o.Sack(); !ok || n != 2 || b[1] != (packet.SackBlock{Left: 1 << 31, Right: 1<<31 + 3}) {
		t.Errorf("SACK blocks %v, %d", b, n)
	}
}

func TestOptionsAreChangedWhereTheyStand(t *testing.T) {
	p, o := synWith(t, linuxSYN...)
	n := p.Len()
	if err := o.SetMSS(1360); err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(linuxSYN)
	want[2], want[3] = 0x05, 0x50
	if !bytes.Equal(o.Bytes(), want) || p.Len() != n {
		t.Errorf("got % x, want % x", o.Bytes(), want)
	}
}

func TestOptionsResizeTheHeader(t *testing.T) {
	for _, tt := range []struct {
		do   string
		from []byte
		f    func(packet.TCPOptions) error
		want []byte
	}{
		{"the first one", nil, func(o packet.TCPOptions) error { return o.SetMSS(1460) }, []byte{2, 4, 0x05, 0xb4}},
		{"another, padded", []byte{2, 4, 0x05, 0xb4}, func(o packet.TCPOptions) error { return o.SetWScale(7) }, []byte{2, 4, 0x05, 0xb4, 3, 3, 7, 0}},
		{"one goes, nops with it", []byte{2, 4, 0x05, 0xb4, 1, 3, 3, 7}, func(o packet.TCPOptions) error { o.Remove(packet.OptWScale); return nil }, []byte{2, 4, 0x05, 0xb4}},
		{"one that is not there", []byte{1, 1, 1, 1}, func(o packet.TCPOptions) error { o.Remove(packet.OptWScale); return nil }, []byte{1, 1, 1, 1}},
		{"all go", linuxSYN, func(o packet.TCPOptions) error { o.Clear(); return nil }, nil},
		{"sackOK off", []byte{4, 2, 3, 3, 7, 0, 0, 0}, func(o packet.TCPOptions) error { return o.SetSackPermitted(false) }, []byte{3, 3, 7, 0}},
		{"sackOK on", nil, func(o packet.TCPOptions) error { return o.SetSackPermitted(true) }, []byte{4, 2, 0, 0}},
		{"raw bytes", linuxSYN, func(o packet.TCPOptions) error { return o.SetBytes([]byte{254, 3, 9, 1, 1}) }, []byte{254, 3, 9, 1, 1, 0, 0, 0}},
		{"a kind of one's own", nil, func(o packet.TCPOptions) error { return o.Set(254, []byte{0xf9, 0x89, 1, 2}) }, []byte{254, 6, 0xf9, 0x89, 1, 2, 0, 0}},
		{"two of a kind become one", []byte{3, 3, 1, 1, 3, 3, 2, 1}, func(o packet.TCPOptions) error { return o.SetWScale(5) }, []byte{3, 3, 5, 0}},
		{"what is malformed goes", []byte{2, 4, 0x05, 0xb4, 8, 99, 0, 0}, func(o packet.TCPOptions) error { return o.SetWScale(5) }, []byte{2, 4, 0x05, 0xb4, 3, 3, 5, 0}},
	} {
		p, o := synWith(t, tt.from...)
		if err := tt.f(o); err != nil {
			t.Errorf("%s: %v", tt.do, err)
			continue
		}
		v, _ := p.TCP()
		ip, _ := p.IPv4()
		switch {
		case !bytes.Equal(o.Bytes(), tt.want):
			t.Errorf("%s: got % x, want % x", tt.do, o.Bytes(), tt.want)
		case v.HeaderLen() != 20+len(tt.want), ip.Len() != p.Len(), string(p.Payload()) != "data":
			t.Errorf("%s: header %d, ip.len %d, payload %q", tt.do, v.HeaderLen(), ip.Len(), p.Payload())
		}
		if layer, ok := p.Valid(); !ok {
			t.Errorf("%s: %s is not valid", tt.do, layer)
		}
	}
}

func TestOptionsThatDoNotFitChangeNothing(t *testing.T) {
	p, o := synWith(t, linuxSYN...)
	before := p.String()
	for _, err := range []error{
		o.Set(254, make([]byte, 39)),
		o.Set(254, make([]byte, 30)),
		o.Set(packet.OptNop, nil),
		o.SetBytes(make([]byte, 41)),
		o.SetSack(make([]packet.SackBlock, 5)...),
	} {
		if err == nil || !strings.Contains(err.Error(), "tcp.options") {
			t.Errorf("got %v, want a refusal", err)
		}
	}
	if p.String() != before {
		t.Errorf("a refused option changed the packet: %v", p)
	}
}

func TestMalformedOptionsEndTheList(t *testing.T) {
	for _, raw := range [][]byte{{3, 0, 0, 0}, {3, 1, 0, 0}, {8, 10, 0, 0}, {1, 1, 1, 5}, {0, 3, 3, 7}} {
		_, o := synWith(t, raw...)
		got := ""
		for k, d := range o.All() {
			got += fmt.Sprintf("%d%v", k, d)
		}
		if want := strings.Repeat("1[]", bytes.Count(raw, []byte{1})); raw[0] != 3 && got != want {
			t.Errorf("% x: %s, want %s", raw, got, want)
		}
		if _, ok := o.WScale(); ok {
			t.Errorf("% x has no wscale", raw)
		}
	}
}
