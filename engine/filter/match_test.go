package filter

import (
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func parsed(t testing.TB, link packet.LinkType, b string) *packet.Packet {
	t.Helper()
	p, err := packet.Parse([]byte(b), link)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pingV4 is an echo request from 192.0.2.1 to 192.0.2.2 whose checksums are right.
const pingV4 = "\x45\x00\x00\x1c\x00\x01\x00\x00\x40\x01\xf6\xdd\xc0\x00\x02\x01\xc0\x00\x02\x02\x08\x00\xf7\xfd\x00\x01\x00\x01"

const ethV4 = "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00"

// What asks about Ethernet is false on a packet without it, and so its opposite is
// true; libpcap would not compile such a filter for a TUN device at all.
func TestEthernetOnTUN(t *testing.T) {
	tun := parsed(t, packet.IP, pingV4)
	tap := parsed(t, packet.Ethernet, ethV4+pingV4)
	for _, tt := range []struct {
		text     string
		tun, tap bool
	}{
		{"", true, true},
		{" \t\n", true, true},
		{"icmp", true, true},
		{"ether host 02:00:00:00:00:01", false, true},
		{"not ether host 02:00:00:00:00:01", true, false},
		{"broadcast", false, false},
		{"vlan", false, false},
		{"vlan or ip", true, false}, // "ip" is looked for behind a tag, if there can be one
		{"not vlan and ip", true, false},
		{"ip or vlan", true, true},
		{"arp", false, false},
		{"ether proto 0x800", true, true},
		{"ether[0] = 0x45", true, false}, // the first byte of the frame
		{"less 30", true, false},         // of the frame
		{"len = 42", false, true},
	} {
		f := compile(t, tt.text)
		if f.Match(tun) != tt.tun || f.Match(tap) != tt.tap {
			t.Errorf("%q: got %v on TUN and %v on TAP, want %v and %v", tt.text, f.Match(tun), f.Match(tap), tt.tun, tt.tap)
		}
		if f.String() != tt.text {
			t.Errorf("%q: String is %q", tt.text, f.String())
		}
	}
}

// A filter sees a checksum as it will leave, and leaves the packet as it is: due
// stays due.
func TestChecksumsAsTheyLeave(t *testing.T) {
	whole := parsed(t, packet.IP, pingV4)
	due := parsed(t, packet.IP, pingV4)
	icmp, ok := due.ICMP()
	if !ok {
		t.Fatal("no ICMP header")
	}
	icmp.ResetChecksum()
	if err := due.SetUint8(8, 63); err != nil { // the IPv4 checksum follows
		t.Fatal(err)
	}
	if err := due.SetUint8(8, 64); err != nil {
		t.Fatal(err)
	}
	icmp.SetID(7)
	icmp.SetID(1)
	before := string(due.Frame())
	for _, text := range []string{
		"icmp[2:2] = 0xf7fd", "ip[10:2] = 0xf6dd", "ip[22:2] = 0xf7fd", "ether[22] = 0xf7", "ether[23:1] = 0xfd",
		"ether[20:4] = 0x0800f7fd", "icmp[1 + 1:2] = 0xf7fd", "ip[icmp[0] + 14] = 0xf7", "icmp[0:4] = 0x0800f7fd",
	} {
		f := compile(t, text)
		if !f.Match(whole) || !f.Match(due) {
			t.Errorf("%s: %v on the finished packet, %v on the one with sums due", text, f.Match(whole), f.Match(due))
		}
	}
	if !Field(ICMP, 2, 2, 0xffff, 0xf7fd).Match(due) {
		t.Error("Field reads what is in the buffer")
	}
	if string(due.Frame()) != before {
		t.Error("matching has changed the packet")
	}
}

// A byte that is not there ends the filter, whatever stands around it.
func TestOutsideTheFrame(t *testing.T) {
	p := parsed(t, packet.IP, pingV4)
	for _, text := range []string{"ip[100] = 0", "not ip[100] = 0", "ip[100] = 0 or icmp", "not (icmp and ip[100] = 0)", "1 / ip[1] = 0", "not 1 / ip[1] = 0"} {
		if compile(t, text).Match(p) {
			t.Errorf("%q matches", text)
		}
	}
	for _, text := range []string{"icmp or ip[100] = 0", "not (udp and ip[100] = 0)"} {
		if !compile(t, text).Match(p) {
			t.Errorf("%q does not match: the byte need not have been asked", text)
		}
	}
	if f := Field(IP4, 100, 1, 0xff, 0); f.Match(p) || !Not(f).Match(p) {
		t.Error("Field outside the frame is merely false")
	}
}

// An authentication header that leads back to itself: libpcap's own code never comes
// back from it.
func TestForgedChainEnds(t *testing.T) {
	b := make([]byte, 80)
	b[0], b[6], b[40], b[41] = 0x60, packet.ProtoAH, packet.ProtoAH, 8
	p := parsed(t, packet.IP, string(b))
	if compile(t, "ip6 protochain 6").Match(p) || !compile(t, "ip6 protochain 51").Match(p) {
		t.Error("found TCP in a circle of authentication headers")
	}
}

func TestBuilt(t *testing.T) {
	udp6 := "\x60\x00\x00\x00\x00\x10\x00\x40" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02" +
		"\x11\x00\x01\x04\x00\x00\x00\x00" + "\x9c\x40\x00\x35\x00\x08\x00\x00" // behind hop-by-hop options
	ping, dns := parsed(t, packet.IP, pingV4), parsed(t, packet.IP, udp6)
	vlan := parsed(t, packet.Ethernet, ethV4[:12]+"\x81\x00\x20\x64\x08\x00"+pingV4)
	prefix := netip.MustParsePrefix
	for _, tt := range []struct {
		f               *Filter
		ping, dns, vlan bool
	}{
		{And(), true, true, true},
		{Or(), false, false, false},
		{Not(nil), false, false, false},
		{And(nil, Has(ICMP)), true, false, true},
		{Has(UDP), false, true, false},
		{Has(IP), true, true, true},
		{Has(Ethernet), false, false, true},
		{Port(UDP, 53), false, true, false},
		{Port(UDP, 40000), false, true, false},
		{Port(TCP, 53), false, false, false},
		{Field(UDP, 2, 2, 0xffff, 53), false, true, false},
		{Field(ICMP, 0, 1, 0xff, 8), true, false, true},
		{Field(IP, 0, 1, 0xf0, 0x60), false, true, false},
		{Field(VLAN, 0, 2, 0x0fff, 100), false, false, true},
		{Field(IP4, -1, 1, 0xff, 0), false, false, false},
		{Field(IP4, 0, 3, 0xff, 0), false, false, false},
		{Src(prefix("192.0.2.0/24")), true, false, true},
		{Dst(prefix("192.0.2.1/32")), false, false, false},
		{Src(prefix("2001:db8::/126")), false, true, false},
		{Dst(prefix("2001:db8::2/128")), false, true, false},
		{Src(prefix("0.0.0.0/0")), true, false, true},
		{Src(netip.Prefix{}), false, false, false},
		{And(compile(t, "icmp"), Func("short", func(p *packet.Packet) bool { return p.Len() < 30 })), true, false, false},
		{Or(compile(t, "vlan 100"), Port(UDP, 53)), false, true, true},
	} {
		if a, b, c := tt.f.Match(ping), tt.f.Match(dns), tt.f.Match(vlan); a != tt.ping || b != tt.dns || c != tt.vlan {
			t.Errorf("%s: got %v %v %v, want %v %v %v", tt.f, a, b, c, tt.ping, tt.dns, tt.vlan)
		}
	}
	if compile(t, "udp port 53").Match(dns) {
		t.Error("text looks behind extension headers; libpcap does not")
	}
}
