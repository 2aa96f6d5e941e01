package luabind_test

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// codeRunner runs the text that p:code() gives for packets put on its wire, and fails
// where it makes other bytes.
func codeRunner(t testing.TB, kind tundev.Kind) *lab {
	script, err := luabind.LoadString("code.lua", `on(function(p)
		local text = p:code()
		local run = assert(loadstring("return " .. text))
		local q = run()
		if q:bytes() ~= p:bytes() then error("\n" .. text .. "\nmakes\n" .. q:hex() .. "not\n" .. p:hex()) end
		if q:code() ~= text then error(text .. "\nis then\n" .. q:code()) end
		if text:find("^packet") then log.info(text) end
		return "drop"
	end)`, luabind.Options{Trusted: true})
	if err != nil {
		t.Fatal(err)
	}
	return setup{kind: kind, programs: []engine.Program{script}}.start(t)
}

// runners are one for each link type.
func runners(t testing.TB) map[packet.LinkType]*lab {
	return map[packet.LinkType]*lab{packet.IP: codeRunner(t, tundev.TUN), packet.Ethernet: codeRunner(t, tundev.TAP)}
}

// makesTheSame runs a packet's code, and says whether it is builder text.
func makesTheSame(t testing.TB, labs map[packet.LinkType]*lab, p *packet.Packet) bool {
	t.Helper()
	if p.Link() == packet.Ethernet && p.Len() < 14 {
		return false // no wire carries it
	}
	l := labs[p.Link()]
	l.t = t
	before := l.eng.Stats().Handlers[0].Packets
	l.put(p)
	if len(l.errs) > 0 {
		t.Fatalf("%v: %v", p, l.errs)
	}
	if l.eng.Stats().Handlers[0].Packets != before+1 {
		t.Fatalf("%v: the script did not see it", p)
	}
	return !strings.HasPrefix(p.Code(), "packet(")
}

// What p:code() says makes the same bytes, for every packet of captures of which many
// are malformed on purpose.
func TestCodeOfTheCorpus(t *testing.T) {
	dir := os.Getenv("TUNSCRIPT_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	labs, packets, built := runners(t), 0, 0
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		eachPacket(path, func(p *packet.Packet) {
			packets++
			if makesTheSame(t, labs, p) {
				built++
			}
		})
		return nil
	})
	if packets == 0 {
		t.Skip("no capture files: set TUNSCRIPT_CORPUS to a folder of them")
	}
	t.Logf("%d packets, %d of them as builder text", packets, built)
	if built < packets*9/10 {
		t.Errorf("only %d of %d packets have builder text", built, packets)
	}
}

// eachPacket plays a capture, as far as it can be.
func eachPacket(path string, f func(p *packet.Packet)) {
	d, err := pcapfile.Open(pcapfile.Config{Path: path})
	if err != nil {
		return
	}
	defer d.Close()
	queues, err := d.Attach(engine.Env{})
	if err != nil {
		return
	}
	pool, ps := &packet.Pool{}, make([]*packet.Packet, 64)
	for {
		n, err := queues[0].Read(ps, pool)
		for _, p := range ps[:n] {
			if p.Len() <= 65535 {
				f(p)
			}
			pool.Put(p)
		}
		if err != nil {
			return
		}
	}
}

// randomPacket is one of random layers and fields, often edited at random, too, and
// now and then cut short.
func randomPacket(r *rand.Rand) *packet.Packet {
	u8 := func() uint8 { return uint8(r.Uint32()) }
	u16 := func() uint16 { return uint16(r.Uint32()) }
	some := func(n int) []byte {
		b := make([]byte, r.IntN(n+1))
		for i := range b {
			b[i] = u8()
			if r.IntN(2) == 0 {
				b[i] = 'a' + b[i]%26
			}
		}
		return b
	}
	mac := func() packet.MAC { return packet.MAC{2, 0, 0, 0, u8(), u8()} }
	var list []packet.Layer
	if r.IntN(2) == 0 {
		list = append(list, packet.Eth{Src: mac(), Dst: mac()})
		for range r.IntN(3) {
			list = append(list, packet.VLAN{ID: u16() & 0xfff, Prio: u8() & 7, DEI: r.IntN(2) == 0})
		}
	}
	v6 := r.IntN(2) == 0
	switch {
	case len(list) > 0 && r.IntN(8) == 0:
		list = append(list, packet.ARP{Op: uint16(r.IntN(4)), SHA: mac(), SPA: host, TPA: peer})
	case v6:
		list = append(list, packet.IPv6{Src: host6, Dst: peer6, TTL: u8(), TOS: u8(), FlowLabel: r.Uint32() & 0xfffff})
	default:
		ip := packet.IPv4{Src: host, Dst: peer, TTL: u8(), TOS: u8(), ID: u16(), DF: r.IntN(2) == 0}
		if r.IntN(4) == 0 {
			ip.Options = some(40)
		}
		list = append(list, ip)
	}
	if _, arp := list[len(list)-1].(packet.ARP); !arp {
		switch r.IntN(5) {
		case 0:
			list = append(list, packet.UDP{Sport: u16(), Dport: u16()})
		case 1:
			tcp := packet.TCP{Sport: u16(), Dport: u16(), Seq: r.Uint32(), Ack: r.Uint32(), Flags: packet.Flags(u8()), Window: u16()}
			if r.IntN(3) == 0 {
				tcp.Options = some(40)
			}
			list = append(list, tcp)
		case 2:
			if v6 {
				list = append(list, packet.ICMPv6{Type: []uint8{1, 2, 128, 129, 133, 134, 135, 136, 137, 143}[r.IntN(10)], Code: u8() % 3, ID: u16(), Seq: u16()})
			} else {
				list = append(list, packet.ICMP{Type: []uint8{0, 3, 5, 8, 11, 13}[r.IntN(6)], Code: u8() % 6, ID: u16(), Seq: u16()})
			}
		}
	}
	if r.IntN(4) > 0 {
		list = append(list, packet.Payload(some(60)))
	}
	p, err := packet.Build(list...)
	if err != nil {
		return randomPacket(r)
	}
	for range r.IntN(4) {
		spoil(p, r, some)
	}
	b := p.Bytes()
	if r.IntN(10) == 0 {
		b = b[:1+r.IntN(len(b))]
	}
	q, err := packet.Parse(b, p.Link())
	if err != nil {
		return randomPacket(r)
	}
	return q
}

// spoil changes something that a builder would have computed, or adds what it does
// only when told to.
func spoil(p *packet.Packet, r *rand.Rand, some func(n int) []byte) {
	ip, hasIP := p.IP()
	tcp, hasTCP := p.TCP()
	udp, hasUDP := p.UDP()
	switch v6, has6 := p.IPv6(); r.IntN(12) {
	case 0:
		p.SetUint8(r.IntN(p.Len()), uint8(r.Uint32()))
	case 1:
		ip.SetLen(r.IntN(100))
	case 2:
		ip.SetChecksum(uint16(r.Uint32()))
	case 3:
		ip.SetMF(r.IntN(2) == 0)
	case 4:
		ip.SetFrag(r.IntN(3) * 8)
	case 5:
		tcp.SetChecksum(uint16(r.IntN(3)))
	case 6:
		udp.SetChecksum(uint16(r.IntN(3)))
	case 7:
		udp.SetLen(r.IntN(50))
	case 8:
		ip.SetProto([]uint8{0, 1, 6, 17, 41, 43, 44, 50, 51, 58, 59, 60, 132}[r.IntN(13)])
	case 9:
		if has6 {
			v6.SetExtensions(randomExtensions(r)...)
		}
	case 10:
		if hasTCP {
			tcp.Options().SetMSS(uint16(r.Uint32()))
			tcp.Options().SetWScale(uint8(r.IntN(16)))
			tcp.Options().Set(uint8(2+r.IntN(253)), some(8))
		}
	case 11:
		if hasIP && !hasUDP {
			p.SetPayload(some(90))
		}
	}
}

func randomExtensions(r *rand.Rand) (list []packet.Extension) {
	for range r.IntN(4) {
		kind := []uint8{0, 43, 44, 51, 60}[r.IntN(5)]
		e := packet.Extension{Kind: kind, Data: make([]byte, 8)}
		if kind == 43 && r.IntN(2) == 0 {
			e.Data = slices.Concat([]byte{0, 2, 0, 1, 0, 0, 0, 0}, host6.AsSlice())
		}
		if kind == 44 && r.IntN(2) == 0 {
			e.Data = []byte{0, 0, 0, uint8(r.IntN(32)), 1, 2, 3, 4}
		}
		list = append(list, e)
	}
	return list
}

// The same for 10,000 packets of random layers, fields, mistakes and cuts.
func TestCodeOfRandomPackets(t *testing.T) {
	r, labs, built := rand.New(rand.NewPCG(1, 1)), runners(t), 0
	const n = 10_000
	for range n {
		if makesTheSame(t, labs, randomPacket(r)) {
			built++
		}
	}
	t.Logf("%d of %d packets as builder text", built, n)
	if built < n*8/10 {
		t.Errorf("only %d of %d packets have builder text", built, n)
	}
}

// FuzzCode is the same for any bytes.
func FuzzCode(f *testing.F) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 100 {
		p := randomPacket(r)
		f.Add(p.Bytes(), p.Link() == packet.Ethernet)
	}
	labs := runners(f)
	f.Fuzz(func(t *testing.T, b []byte, ethernet bool) {
		link := packet.IP
		if ethernet {
			link = packet.Ethernet
		}
		p, err := packet.Parse(b, link)
		if err != nil || p.Len() > 10_000 {
			return
		}
		makesTheSame(t, labs, p)
	})
}

// show, hex and code are what they are in Go.
func TestTexts(t *testing.T) {
	p := build(t, ip4(), udp(), text())
	l := newLab(t, `on(function(p) print(p:show()) print(p:hex()) print(p:code()) print(p) print(p:rst():code()) end)`)
	l.put(p)
	l.clean()
	p.In, p.Out = nil, nil
	said := l.said()
	for _, want := range []string{
		`device = "tun0"`, "checksum = 0xf6c1", "0x0000:  6865 6c6c 6f                             hello",
		"info: \t0x0000:  4500 0021", `info: ip{src="192.0.2.1", dst="192.0.2.2", id=7}/udp{sport=4000, dport=7}/"hello"`,
		"info: IP 192.0.2.1.4000 > 192.0.2.2.7: UDP, length 5", "info: nil -- empty packet: only TCP is reset",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("not said: %s in\n%s", want, said)
		}
	}
}

// Texts are strings like any other: their length is bounded, and they cost.
func TestTextsAreBounded(t *testing.T) {
	big := build(t, ip4(), udp(), packet.Payload(make([]byte, 60_000)))
	for _, method := range []string{"show", "hex", "code", "bytes"} {
		s := setup{scripts: []string{`on(function(p) local s = p:` + method + `() end)`}}
		s.limits.String = 50_000
		l := s.start(t)
		l.put(big)
		if got := l.fails(); !strings.Contains(got, "(limits: string)") {
			t.Errorf("%s: %s", method, got)
		}
		s.limits.String, s.limits.Instructions = 1<<20, 1_000
		s.scripts = []string{`on(function(p) for i = 1, 10 do local s = p:` + method + `() end end)`}
		l = s.start(t)
		l.put(big)
		if got := l.fails(); !strings.Contains(got, "used up its 1000 instructions") {
			t.Errorf("%s: %s", method, got)
		}
	}
}
