package luabind_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// Scripts as users write them, and the conversations they hold.

const pingScript = `
on{ "icmp[icmptype] == icmp-echo", defrag = true, run = function(p)
  return p:reply()
end }
on("icmp6[icmp6type] == icmp6-echo", function(p)
  return p:reply()
end)`

func TestPing(t *testing.T) {
	l := newLab(t, pingScript)
	for seq := range uint16(3) {
		h := ip4()
		h.TOS, h.DF = 0xb8, true
		l.put(build(t, h, packet.ICMP{Type: packet.EchoRequest, ID: 77, Seq: seq}, packet.Payload("0123456789")))
		r := l.one()
		ip, _ := r.IPv4()
		icmp, ok := r.ICMP()
		if !ok || icmp.Type() != packet.EchoReply || icmp.ID() != 77 || icmp.Seq() != seq || string(r.Payload()) != "0123456789" {
			t.Errorf("answered %v", r)
		}
		if ip.Src() != peer || ip.Dst() != host || ip.TTL() != 64 || ip.TOS() != 0xb8 || ip.DF() {
			t.Errorf("the header is %v, tos %#x, df %v", r, ip.TOS(), ip.DF())
		}
		intact(t, r)

		l.put(build(t, ip6(), packet.ICMPv6{Type: packet.EchoRequest6, ID: 78, Seq: seq}, packet.Payload("0123456789")))
		r = l.one()
		icmp6, ok := r.ICMPv6()
		if !ok || icmp6.Type() != packet.EchoReply6 || icmp6.ID() != 78 || icmp6.Seq() != seq || string(r.Payload()) != "0123456789" {
			t.Errorf("answered %v", r)
		}
		intact(t, r)
	}
	// Anything else ends here.
	l.put(build(t, ip4(), packet.ICMP{Type: packet.EchoReply}), build(t, ip4(), udp()), build(t, ip6(), syn()))
	if got := l.got(); len(got) != 0 {
		t.Errorf("answered %v", got)
	}
	l.clean()
}

const udpEchoScript = `
on("udp dst port 7", function(p)
  local r = p:reply()
  r.payload = p.payload:upper():gsub("\n", "!\n")     -- another length: lengths and checksums follow
  return r
end)
on("udp", function(p)
  return p:unreachable("port")                         -- everything else: connection refused
end)`

func TestUDPEcho(t *testing.T) {
	l := newLab(t, udpEchoScript)
	for _, ip := range []packet.Layer{ip4(), ip6()} {
		l.put(build(t, ip, udp(), packet.Payload("hello\n")))
		r := l.one()
		u, _ := r.UDP()
		if string(r.Payload()) != "HELLO!\n" || u.Sport() != 7 || u.Dport() != 4000 || u.Len() != 15 {
			t.Errorf("answered %v, %q", r, r.Payload())
		}
		intact(t, r)

		l.put(build(t, ip, packet.UDP{Sport: 4000, Dport: 53}, packet.Payload("query")))
		r = l.one()
		if got := r.String(); !strings.Contains(got, "unreachable") {
			t.Errorf("refused by %v", r)
		}
		quoted, err := packet.Parse(r.Payload(), packet.IP)
		if err != nil {
			t.Fatal(err)
		}
		if q, ok := quoted.UDP(); !ok || q.Dport() != 53 {
			t.Errorf("quotes %v", quoted)
		}
		intact(t, r)
	}
	l.clean()
}

const whoisScript = `
local mac = "02:00:00:00:00:02"
on("arp", function(p)
  if p.arp.op == "request" and p.arp.tpa == "192.0.2.2" then
    return p:reply{ arp = { sha = mac }, eth = { src = mac } }
  end
end)
on("icmp[icmptype] == icmp-echo", function(p) return p:reply() end)`

func TestWhois(t *testing.T) {
	l := setup{kind: tundev.TAP, scripts: []string{whoisScript}}.start(t)
	ask := packet.Eth{Src: hostMAC, Dst: packet.Broadcast}
	l.put(build(t, ask, packet.ARP{Op: packet.ARPRequest, SHA: hostMAC, SPA: host, TPA: peer}))
	r := l.one()
	eth, _ := r.Ethernet()
	arp, ok := r.ARP()
	if !ok || arp.Op() != packet.ARPReply || arp.SHA() != peerMAC || arp.SPA() != peer || arp.THA() != hostMAC || arp.TPA() != host {
		t.Errorf("answered %v", r)
	}
	if eth.Src() != peerMAC || eth.Dst() != hostMAC {
		t.Errorf("the frame is from %v to %v", eth.Src(), eth.Dst())
	}
	l.put(build(t, ask, packet.ARP{Op: packet.ARPRequest, SHA: hostMAC, SPA: host, TPA: netip.MustParseAddr("192.0.2.3")}))
	if got := l.got(); len(got) != 0 {
		t.Errorf("answered for another: %v", got)
	}
	l.put(build(t, frame(), ip4(), packet.ICMP{Type: packet.EchoRequest, ID: 1, Seq: 1}, text()))
	r = l.one()
	if eth, _ = r.Ethernet(); eth.Src() != peerMAC || eth.Dst() != hostMAC {
		t.Errorf("the frame is from %v to %v", eth.Src(), eth.Dst())
	}
	intact(t, r)
	l.clean()
}

const pathScript = `
local hops = { "198.51.100.1", "198.51.100.2", "198.51.100.3" }
on("ip and not icmp[icmptype] == icmp-echoreply", function(p)
  local hop = hops[p.ip.ttl]
  if hop then return p:ttl_exceeded{ ip = { src = hop } } end
  if p.udp then return p:unreachable("port") end
  if p.icmp then return p:reply() end
end)`

// A traceroute by UDP and one by ICMP: three routers that are not there, then the end.
func TestPath(t *testing.T) {
	l := newLab(t, pathScript)
	for name, probe := range map[string]packet.Layer{"udp": packet.UDP{Sport: 4000, Dport: 33434}, "icmp": packet.ICMP{Type: packet.EchoRequest, ID: 9, Seq: 1}} {
		var path []string
		for ttl := uint8(1); ttl <= 4; ttl++ {
			h := ip4()
			h.TTL = ttl
			l.put(build(t, h, probe, text()))
			r := l.one()
			ip, _ := r.IPv4()
			icmp, ok := r.ICMP()
			if !ok {
				t.Fatalf("ttl %d: answered %v", ttl, r)
			}
			path = append(path, fmt.Sprintf("%v %d/%d", ip.Src(), icmp.Type(), icmp.Code()))
			intact(t, r)
		}
		last := "192.0.2.2 3/3"
		if name == "icmp" {
			last = "192.0.2.2 0/0"
		}
		want := "198.51.100.1 11/0, 198.51.100.2 11/0, 198.51.100.3 11/0, " + last
		if got := strings.Join(path, ", "); got != want {
			t.Errorf("%s: the path is %s, want %s", name, got, want)
		}
	}
	l.put(build(t, ip4(), packet.ICMP{Type: packet.EchoReply}))
	if got := l.got(); len(got) != 0 {
		t.Errorf("answered a reply: %v", got)
	}
	l.clean()
}

// Fields given to an answer change themselves and nothing else.
func TestAnswersTakeFields(t *testing.T) {
	tests := []struct {
		probe       []packet.Layer
		code, field string
		want        string
	}{
		{[]packet.Layer{ip4(), syn()}, `p:reply()`, `p.tcp.flags .. p.tcp.ack .. p.tcp.sport`, "SA10180"},
		{[]packet.Layer{ip4(), syn()}, `p:reply{ tcp = { seq = 5000, options = { mss = 1400 } } }`, `p.tcp.seq .. " " .. p.tcp.options.mss`, "5000 1400"},
		{[]packet.Layer{ip4(), ack(), text()}, `p:reply{ tcp = { flags = "FA" }, payload = "bye" }`, `p.tcp.flags .. p.tcp.seq .. " " .. p.tcp.ack .. p.payload`, "FA200 105bye"},
		{[]packet.Layer{ip6(), ack(), text()}, `p:reply{ payload = "hi", tcp = { checksum = "bad" } }`, `select(2, p:valid())`, "tcp"},
		{[]packet.Layer{ip4(), syn()}, `p:rst()`, `p.tcp.flags .. p.tcp.seq .. p.tcp.ack`, "RA0101"},
		{[]packet.Layer{ip6(), ack()}, `p:rst{ ip = { ttl = 3 } }`, `p.tcp.flags .. p.tcp.seq .. p.ip.ttl`, "R2003"},
		{[]packet.Layer{ip4(), udp(), text()}, `p:reply{ ip = { src = "198.51.100.9" }, udp = { sport = 9 } }`, `p.ip.src .. p.udp.sport .. p.payload`, "198.51.100.99hello"},
		{[]packet.Layer{ip4(), udp(), text()}, `p:unreachable("fragmentation", 1400)`, `p.icmp.type .. p.icmp.code .. p.icmp.mtu`, "341400"},
		{[]packet.Layer{ip6(), udp(), text()}, `p:unreachable("fragmentation", 1400, { ip = { ttl = 9 } })`, `p.icmp6.type .. " " .. p.icmp6.mtu .. " " .. p.ip.ttl`, "2 1400 9"},
		{[]packet.Layer{ip4(), udp(), text()}, `p:copy{ payload = "", ip = { df = true } }`, `p.ip.len .. tostring(p.ip.df)`, "28true"},
	}
	for _, tt := range tests {
		l := newLab(t, `on(function(p) local q = `+tt.code+` q.out = "tun0" return q end)`)
		l.put(build(t, tt.probe...))
		l.clean()
		reader := newLab(t, `on(function(p) print(`+tt.field+`) end)`)
		reader.put(l.one())
		if got := strings.TrimPrefix(reader.said(), "info: "); got != tt.want {
			t.Errorf("%s: %s is %q, want %q", tt.code, tt.field, got, tt.want)
		}
	}
}
