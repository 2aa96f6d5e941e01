package filter_test

import (
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

// What may match a super-packet is what matches one of its segments, or cannot be told
// from it.
func TestMayMatch(t *testing.T) {
	v4, v6 := packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"), ID: 7},
		packet.IPv6{Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8::2")}
	tcp := packet.TCP{Sport: 4000, Dport: 80, Seq: 1000, Flags: packet.ACK | packet.PSH}
	udp := packet.UDP{Sport: 4000, Dport: 443}
	data := make(packet.Payload, 5500)
	data[4000] = 'x'
	eth := packet.Eth{}
	w := offload.Walker{}
	for _, tt := range []struct {
		kind   uint8
		layers []packet.Layer
	}{
		{offload.TCPv4, []packet.Layer{v4, tcp, data}}, {offload.TCPv6, []packet.Layer{v6, tcp, data}},
		{offload.UDP, []packet.Layer{v4, udp, data}}, {offload.TCPv4, []packet.Layer{eth, v4, tcp, data}},
		{offload.TCPv4, []packet.Layer{eth, packet.VLAN{ID: 5}, v4, tcp, data}},
	} {
		p, err := packet.Build(tt.layers...)
		if err != nil {
			t.Fatal(err)
		}
		p.SetGSO(packet.GSO{Type: tt.kind, Size: 1000})
		segments, err := w.Split(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []struct {
			text  string
			vague bool // it may say yes where no segment is meant
		}{
			{"", false}, {"tcp", false}, {"udp", false}, {"not tcp", false}, {"icmp", false}, {"ip", false}, {"ip6", false},
			{"port 80", false}, {"port 81", false}, {"tcp dst port 80 and src host 192.0.2.1", false}, {"vlan 5", false},
			{"host 2001:db8::1", false}, {"host 2001:db8::3", false}, {"not host 192.0.2.1", false}, {"net 192.0.2.0/24", false},
			{"tcp[tcpflags] & tcp-syn != 0", false}, {"tcp[tcpflags] & tcp-ack != 0", false},
			{"less 1100", true}, {"greater 5000", true}, {"not greater 1100", true},
			{"tcp[tcpflags] & tcp-push == 0", true}, {"tcp[tcpflags] & tcp-push != 0", true}, {"tcp[4:4] = 3000", true},
			{"ip[4:2] = 9", true}, {"ip[2:2] < 1200", true}, {"tcp[1020] = 120", true}, {"udp[8] = 1", true}, {"udp[4:2] < 600", true},
			{"port 81 and less 100", false}, {"port 81 or less 600", true}, {"not (port 80 and greater 600)", true},
		} {
			f1, err := filter.Compile(f.text)
			if err != nil {
				t.Fatal(err)
			}
			one := false
			for _, s := range segments {
				one = one || f1.Match(s)
			}
			if may := f1.MayMatch(p); one && !may || may && !one && !f.vague {
				t.Errorf("%q, %v: a segment matches %v, the super-packet may %v", f.text, p, one, may)
			}
		}
	}
}
