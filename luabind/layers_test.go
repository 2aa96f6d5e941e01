package luabind_test

import (
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// A tag is pushed, changed and popped by assignment.
func TestAssignVLAN(t *testing.T) {
	for _, tt := range []struct{ carrier, script, want string }{
		{"eth-udp4", `p.vlan = { id = 5, prio = 3 }`, "5 3 false 2048 51 true"},
		{"eth-udp4", `p.vlan = {}`, "0 0 false 2048 51 true"},
		{"eth-udp4", `p.vlan = { id = 5 } p.vlan = { prio = 7, dei = true }`, "5 7 true 2048 51 true"},
		{"vlan-tcp4", `p.vlan = { id = 6 }`, "6 3 false 2048 95 true"},
		{"vlan-tcp4", `p.vlan = nil`, "nil"},
		{"eth-udp4", `p.vlan = nil`, "nil"},
		{"qinq-udp4", `p.vlan = nil`, "9 0 false 2048 51 true"},
		{"vlan-arp", `p.vlan = nil print(p.arp.op)`, "nil"},
	} {
		p := carriers(t)[tt.carrier]
		l := linkOf(p, `on(function(p) `+tt.script+` end)`).start(t)
		l.put(p)
		l.clean()
		out := l.one()
		reader := linkOf(p, `on(function(p) if p.vlan then print(p.vlan.id, p.vlan.prio, p.vlan.dei, p.vlan.type, p.len, p:valid()) else print(nil) end end)`).start(t)
		reader.put(out)
		if got := strings.ReplaceAll(strings.TrimPrefix(reader.said(), "info: "), "\t", " "); got != tt.want {
			t.Errorf("%s: %s gives %q, want %q", tt.carrier, tt.script, got, tt.want)
		}
	}
}

func TestLayersThatCannotBeSet(t *testing.T) {
	for _, tt := range []struct{ carrier, script, want string }{
		{"udp4", `p.vlan = { id = 5 }`, "vlan: a tag stands behind an Ethernet header, which this packet has not: add one first"},
		{"qinq-udp4", `p.vlan = { id = 5, prio = 9 }`, "vlan.prio is 9, want 0..7"},
		{"eth-udp4", `p.vlan = { id = 5, prio = 9 } error("not here")`, "vlan.prio is 9, want 0..7"},
		{"eth-udp4", `p.vlan = { idd = 5 }`, `vlan has no "idd"; did you mean "id"?`},
		{"eth-udp4", `p.vlan = 5`, "vlan: want a table such as {id = 5}, or nil to take the tag off, got the number 5"},
		{"udp4", `p.tcp = { dport = 80 }`, "the packet has no tcp, and layers cannot be added: build another packet, as in ip{...}/tcp{...}"},
		{"udp4", `p.udp = nil`, "p.udp is a layer: set its fields, as in p.udp.checksum = v"},
		{"udp4", `p.tcp.dport = 80`, "attempt to index field 'tcp' (a nil value)"},
		{"udp4", `p.ip.flowlabel = 1`, "ip.flowlabel: IPv4 has no flow label"},
		{"udp4", `p.ip.extensions = {}`, "ip.extensions: IPv4 has options instead: set options"},
		{"udp6", `p.ip.options = ""`, "ip.options: IPv6 has extension headers instead: set extensions"},
		{"udp4", `p.ip.options = ("x"):rep(41)`, "ip.options: 41 bytes, but at most 40 fit"},
		{"udp6", `p.ip.extensions = 7`, "ip.extensions: want a list of {kind, bytes}, got the number 7"},
		{"udp6", `p.ip.extensions = { 7 }`, "ip.extensions: 1: want {kind, bytes}, got the number 7"},
		{"udp6", `p.ip.extensions = { { 17, "12345678" } }`, "ip.extensions: 17 is no extension header: give 0, 43, 44, 51 or 60"},
		{"udp6", `p.ip.extensions = { { 60, "short" } }`, "ip.extensions: header 1, of kind 60, has 5 bytes, which is not what its second byte says: give a whole header"},
	} {
		p := carriers(t)[tt.carrier]
		l := linkOf(p, `on(function(p) `+tt.script+` end)`).start(t)
		before := string(p.Bytes())
		l.put(p)
		if got := l.fails(); !strings.HasPrefix(got, "script1.lua:1: "+tt.want) {
			t.Errorf("%s: %s\ngot  %s\nwant script1.lua:1: %s", tt.carrier, tt.script, got, tt.want)
		}
		for _, out := range l.got() {
			if string(out.Bytes()) != before {
				t.Errorf("%s: %s has changed the packet to %v", tt.carrier, tt.script, out)
			}
		}
	}
}

// Packets within packets, tags within tags and extension headers, as gopacket reads
// them.
func TestNestedBuilders(t *testing.T) {
	for _, tt := range []struct{ expr, want string }{
		{`ip{ dst = "192.0.2.1" }/ip{ src = "198.51.100.1", dst = "198.51.100.2" }/udp{ sport = 1, dport = 2 }/"x"`, "IPv4 IPv4 UDP Payload"},
		{`ip{ dst = "192.0.2.1" }/ip{ src = "2001:db8::1", dst = "2001:db8::2" }/tcp{}`, "IPv4 IPv6 TCP"},
		{`ip{ dst = "2001:db8::1" }/(ip{ src = "192.0.2.8", dst = "192.0.2.9" }/icmp{})`, "IPv6 IPv4 ICMPv4"},
		{`ip{ dst = "192.0.2.1" }/udp{ sport = 9, dport = 4789 }/hex"0800000000000700"/eth{}/ip{ src = "192.0.2.8", dst = "192.0.2.9" }/udp{ sport = 1, dport = 2 }`, "IPv4 UDP VXLAN Ethernet IPv4 UDP"},
		{`ip{ dst = "192.0.2.1", proto = 47 }/hex"00000800"/ip{ src = "192.0.2.8", dst = "192.0.2.9" }/udp{ sport = 1, dport = 2 }`, "IPv4 GRE IPv4 UDP"},
		{`eth{}/vlan{ id = 5, prio = 1 }/vlan{ id = 6, prio = 2, dei = true }/ip{ dst = "192.0.2.1" }/udp{ sport = 1, dport = 2 }`, "Ethernet Dot1Q Dot1Q IPv4 UDP"},
		{`ip{ dst = "2001:db8::1", extensions = { { 0, hex"00 00 0502 0000 0100" } } }/udp{ sport = 1, dport = 2 }/"x"`, "IPv6 IPv6HopByHop UDP Payload"},
		{`ip{ dst = "2001:db8::1", id = 77, frag = 0, mf = true }/udp{ sport = 1, dport = 2 }/"12345678"`, "IPv6 IPv6Fragment Fragment"},
		{`ip{ dst = "2001:db8::1", frag = 1480, proto = 17 }/"12345678"`, "IPv6 IPv6Fragment Fragment"},
		{`ip{ dst = "192.0.2.1", options = hex"94040000" }/udp{ sport = 1, dport = 2 }`, "IPv4 UDP"},
	} {
		l, ps := built(t, "tap", `eth{}/`+strings.TrimPrefix(tt.expr, "eth{}/"))
		l.clean()
		if len(ps) != 1 {
			t.Errorf("%s: %d packets", tt.expr, len(ps))
			continue
		}
		got := []string{}
		g := gopacket.NewPacket(ps[0].Bytes(), layers.LayerTypeEthernet, gopacket.Default)
		for _, layer := range g.Layers() {
			got = append(got, layer.LayerType().String())
		}
		if names := strings.TrimPrefix(strings.Join(got, " "), "Ethernet "); names != strings.TrimPrefix(tt.want, "Ethernet ") {
			t.Errorf("%s is %s, want %s: %v", tt.expr, names, tt.want, g.ErrorLayer())
		}
		if layer, ok := ps[0].Valid(); !ok {
			t.Errorf("%s is not valid at %s", tt.expr, layer)
		}
	}
}

// Each tag keeps its own fields.
func TestTagsWithinTags(t *testing.T) {
	l, ps := built(t, "tap", `eth{ type = 0x88a8 }/vlan{ id = 5, prio = 1 }/vlan{ id = 6, prio = 2, dei = true }/ip{ dst = "192.0.2.1" }/udp{ sport = 1, dport = 2 }`)
	l.clean()
	if got := string(ps[0].Bytes()[12:22]); got != "\x88\xa8\x20\x05\x81\x00\x50\x06\x08\x00" {
		t.Errorf("tags % x", got)
	}
}

func TestNestedTooDeep(t *testing.T) {
	l := newLab(t, `on_start(function()
		local p = ip{ dst = "192.0.2.1" }/udp{ sport = 1, dport = 2 }
		for i = 1, 9 do p = ip{ dst = "192.0.2.1" }/p end
		send(p)
	end)`)
	want := "script1.lua:4: more than 8 packets within each other: give the inner ones as bytes, as in ip{...}/inner:bytes()"
	if got := l.fails(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// packet(s) is a packet like any other that a script has made: it leaves by the
// device in hand.
func TestPacketOfBytesLeaves(t *testing.T) {
	l := newLab(t, `on(function(p) return packet(p:bytes()) end)`)
	l.put(build(t, ip4(), udp(), text()))
	l.clean()
	if out := l.one(); out.Len() != 33 {
		t.Errorf("%v left", out)
	}
}

// A quote that is cut short is a packet all the same: what is there can be read.
func TestQuotesCutShort(t *testing.T) {
	l := newLab(t, `on(function(p)
		local all = p:bytes()
		for n = 1, #all do
			local q = packet(all:sub(1, n))
			assert(q.len == n and q:bytes() == all:sub(1, n))
			assert((q.ip ~= nil) == (n >= 20) and (q.udp ~= nil) == (n >= 28))
			if q.udp then assert(q.udp.len == 13 and q.ip.len == 33 and q.payload == ("hello"):sub(1, n - 28)) end
			assert(q:valid() == (n == 33))
		end
		print("done")
	end)`)
	l.put(build(t, ip4(), udp(), text()))
	l.clean()
	if l.said() != "info: done" {
		t.Error("not done")
	}
}
