package record

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestFields(t *testing.T) {
	build := func(ttl uint8, payload string) *packet.Packet {
		p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"), TTL: ttl, ID: 7},
			packet.UDP{Sport: 1, Dport: 2}, packet.Payload(payload))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if diff := cmp.Diff([]Field{{"ip.ttl", "3", "4"}, {"ip.checksum", "0x33c6", "0x32c6"}}, fields(build(3, "x"), build(4, "x"))); diff != "" {
		t.Error(diff)
	}
	var names []string
	for _, f := range fields(build(3, "x"), build(3, "yy")) {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"ip.len", "ip.checksum", "udp.len", "udp.checksum", "payload"}, names); diff != "" {
		t.Error(diff)
	}
	raw, err := packet.Parse([]byte{0x45, 0, 0, 20, 0, 1, 0, 0, 64, 59, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2}, packet.IP)
	if err != nil {
		t.Fatal(err)
	}
	got := fields(build(3, "x"), raw)
	if len(got) < 4 {
		t.Errorf("another protocol: %v", got)
	}
}
