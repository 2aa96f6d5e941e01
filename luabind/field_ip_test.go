package luabind_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// ipRows are the fields of p.ip for each version; p.ip4 and p.ip6 have the same.
var ipRows = slicesOf(
	ipRow("version", ips4, "4", "", "", false), ipRow("version", ips6, "6", "", "", false),
	ipRow("src", ips4, "192.0.2.1", `"198.51.100.77"`, "198.51.100.77", false),
	ipRow("src", ips6, "2001:db8::1", `"2001:DB8:0::7"`, "2001:db8::7", false),
	ipRow("dst", ips4, "192.0.2.2", `"198.51.100.77"`, "198.51.100.77", false),
	ipRow("dst", ips6, "2001:db8::2", `"2001:db8::7"`, "2001:db8::7", false),
	ipRow("ttl", ips4, "64", "0", "0", false), ipRow("ttl", ips6, "64", "255", "255", false),
	ipRow("proto", "udp4", "17", "253", "253", true), ipRow("proto", "udp6", "17", "253", "253", true),
	ipRow("tos", ips4, "0", "255", "255", false), ipRow("tos", ips6, "0", "255", "255", false),
	ipRow("dscp", ips4, "0", "46", "46", false), ipRow("dscp", ips6, "0", "46", "46", false),
	ipRow("ecn", ips4, "0", "3", "3", false), ipRow("ecn", ips6, "0", "3", "3", false),
	ipRow("id", ips4, "7", "65535", "65535", false), ipRow("id", ips6, "nil", "", "", false),
	ipRow("id", "frag6", "77", "2^32 - 1", "4294967295", false),
	ipRow("df", ips4, "false", "true", "true", false), ipRow("df", ips6, "true", "", "", false),
	ipRow("mf", ips4, "false", "true", "true", true), ipRow("mf", ips6, "nil", "", "", false),
	ipRow("mf", "frag6", "true", "false", "false", true),
	ipRow("frag", "udp4 eth-udp4", "0", "1480", "1480", true), ipRow("frag", ips6, "nil", "", "", false),
	ipRow("frag", "frag6", "0", "8", "8", true),
	ipRow("len", "udp4 eth-udp4", "33", "30", "30", true), ipRow("len", "udp6 vlan-udp6", "53", "48", "48", true),
	ipRow("checksum", ips6, "nil", "", "", false),
	ipRow("flowlabel", ips6+" ext6", "0", "0xfffff", "1048575", false), ipRow("flowlabel", ips4, "nil", "", "", false),
	ipRow("options", ips4, "", `hex"94040000"`, "94040000", false),
	ipRow("options", opts4, "94040000", `("\1"):rep(39)`, strings.Repeat("01", 39)+"00", false),
	ipRow("options", opts4, "94040000", `""`, "", false), ipRow("options", ips6, "nil", "", "", false),
	ipRow("extensions", "tcp6 eth-tcp6", "{}", `{{ 60, hex"00 00 0104 00000000" }}`, "{{60,0600010400000000}}", false),
	ipRow("extensions", "udp6 vlan-udp6", "{}", `{{ 60, hex"00 00 0104 00000000" }}`, "{{60,1100010400000000}}", false),
	ipRow("extensions", "ext6", "{{0,3c00050200000100},{60,1100010400000000}}", `{}`, "{}", false),
	ipRow("extensions", "frag6", "{{44,110000010000004d}}", "", "", false), ipRow("extensions", ips4+" frag4", "nil", "", "", false),
	ipRow("id", "frag4", "7", "9", "9", false), ipRow("mf", "frag4", "true", "false", "false", true),
	ipRow("checksum", "udp4 eth-udp4", computed, "0xdead", "57005", true),
)

func slicesOf(rows ...[]fieldRow) (all []fieldRow) {
	for _, r := range rows {
		all = append(all, r...)
	}
	return all
}

// ipRow is a row for p.ip, and one for p.ip4 or p.ip6, whichever the carriers are.
func ipRow(field, carriers, is, set, then string, odd bool) []fieldRow {
	version := "ip4."
	if strings.Contains(strings.Fields(carriers)[0], "6") {
		version = "ip6."
	}
	return []fieldRow{{"ip." + field, carriers, is, set, then, odd}, {version + field, carriers, is, set, then, odd}}
}

// computed stands for the checksum that gopacket reads.
const computed = "computed"

// checksumRows set checksums by hand.
var checksumRows = []fieldRow{
	{"tcp.checksum", tcps, computed, "1", "1", true},
	{"icmp.checksum", echos, computed, `"zero"`, "0", true},
	{"icmp6.checksum", echo6 + " " + nds, computed, "0xbeef", "48879", true},
	{"udp.checksum", udps, computed, "0xffff", "65535", true},
}

// checksumOf is the checksum as gopacket reads it.
func checksumOf(p *packet.Packet, field string) string {
	g := gopacket.NewPacket(p.Bytes(), firstLayer(p), gopacket.Default)
	var sum uint16
	switch layer, _, _ := strings.Cut(field, "."); layer {
	case "ip", "ip4":
		sum = g.Layer(layers.LayerTypeIPv4).(*layers.IPv4).Checksum
	case "tcp":
		sum = g.Layer(layers.LayerTypeTCP).(*layers.TCP).Checksum
	case "udp":
		sum = g.Layer(layers.LayerTypeUDP).(*layers.UDP).Checksum
	case "icmp":
		sum = g.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4).Checksum
	case "icmp6":
		sum = g.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6).Checksum
	}
	return strconv.Itoa(int(sum))
}

func firstLayer(p *packet.Packet) gopacket.LayerType {
	switch {
	case p.Link() == packet.Ethernet:
		return layers.LayerTypeEthernet
	case p.Bytes()[0]>>4 == 6:
		return layers.LayerTypeIPv6
	}
	return layers.LayerTypeIPv4
}

// A layer that a packet has not is nil.
func TestAbsentLayers(t *testing.T) {
	const names = "eth vlan arp ip ip4 ip6 icmp icmp6 tcp udp"
	has := map[string]string{
		"tcp4": "ip ip4 tcp", "udp6": "ip ip6 udp", "icmp4": "icmp ip ip4", "icmp6": "icmp6 ip ip6", "nd": "icmp6 ip ip6",
		"eth-tcp6": "eth ip ip6 tcp", "vlan-tcp4": "eth vlan ip ip4 tcp", "arp": "eth arp", "vlan-arp": "eth vlan arp",
	}
	all := carriers(t)
	for name, want := range has {
		p := all[name]
		s := setup{kind: tundev.TUN, scripts: []string{`on(function(p)
			for name in ("` + names + `"):gmatch("%w+") do if p[name] then log.info(name) end end
		end)`}}
		if p.Link() == packet.Ethernet {
			s.kind = tundev.TAP
		}
		l := s.start(t)
		l.put(p)
		l.clean()
		got := strings.ReplaceAll(strings.ReplaceAll(l.said(), "info: ", ""), "\n", " ")
		if !sameWords(got, want) {
			t.Errorf("%s has %s, want %s", name, got, want)
		}
	}
}

func sameWords(a, b string) bool {
	in := map[string]int{}
	for _, w := range strings.Fields(a) {
		in[w]++
	}
	for _, w := range strings.Fields(b) {
		in[w]--
	}
	for _, n := range in {
		if n != 0 {
			return false
		}
	}
	return true
}

// Checksums and lengths that were set stay through later changes; nil undoes it.
func TestWhatIsSetByHandStays(t *testing.T) {
	tests := []struct{ script, field, want string }{
		{`p.udp.checksum = "bad"`, "p:valid()", "false udp"},
		{`p.udp.checksum = "bad" p.udp.checksum = nil`, "p:valid()", "true"},
		{`p.udp.checksum = 7 p.udp.dport = 9 p.payload = "more"`, "p.udp.checksum", "7"},
		{`p.udp.checksum = "keep" p.ip.src = "198.51.100.9"`, "p:valid()", "false udp"},
		{`p.ip.checksum = "bad"`, "p:valid()", "false ip"},
		{`p.ip.checksum = "zero" p.ip.ttl = 3`, "p.ip.checksum", "0"},
		{`p.ip.checksum = 1 p.ip.checksum = nil`, "p:valid()", "true"},
		{`p.udp.len = 99 p.payload = "x"`, "p.udp.len", "99"},
		{`p.udp.len = 99 p.udp.len = nil p.payload = "x"`, "p.udp.len", "9"},
		{`p.ip.len = 28 p.ip.len = nil`, "p.ip.len", "33"},
	}
	for _, tt := range tests {
		l := setup{forward: true, scripts: []string{`on(function(p) ` + tt.script + ` end)`}}.start(t)
		l.put(build(t, ip4(), udp(), text()))
		l.clean()
		out := l.one()
		reader := newLab(t, `on(function(p) print(`+tt.field+`) end)`)
		reader.put(out)
		got := strings.ReplaceAll(strings.TrimPrefix(reader.said(), "info: "), "\t", " ")
		if got != tt.want {
			t.Errorf("%s: %s is %q, want %q", tt.script, tt.field, got, tt.want)
		}
	}
}
