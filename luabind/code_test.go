package luabind_test

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
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

// What show prints are the layers and fields that a script reads, all of them.
func TestShowSpeaksTheAPI(t *testing.T) {
	known, shown := luabind.FieldNames(), map[string]bool{}
	all := carriers(t)
	all["redirect"] = build(t, ip4(), packet.ICMP{Type: packet.Redirect, Gateway: peer}, text())
	all["too big"] = build(t, ip4(), packet.ICMP{Type: packet.DestUnreach, Code: 4, MTU: 1400}, text())
	all["too big 6"] = build(t, ip6(), packet.ICMPv6{Type: packet.PacketTooBig, MTU: 1400}, text())
	for _, p := range all {
		p.In, p.Out = &packet.Port{Name: "tun0"}, &packet.Port{Name: "tun0"}
		p.Time = t0
		layer := ""
		for line := range strings.Lines(p.Show()) {
			name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch {
			case strings.HasPrefix(line, "  0x"):
			case strings.HasPrefix(line, "  "):
				shown[layer+"."+name] = true
			default:
				layer = strings.TrimSuffix(name, ",")
			}
		}
	}
	for name := range shown {
		if _, ok := known[name]; !ok {
			t.Errorf("%s is shown and is no field", name)
		}
	}
	for name := range known {
		layer, field, _ := strings.Cut(name, ".")
		inOther := layer == "ip4" || layer == "ip6" || layer == "options" // as p.ip, p.tcp.options
		if !inOther && !shown[name] && field != "payload" && name != "packet.segments" && name != "packet.flow" {
			t.Errorf("%s is a field and is not shown", name)
		}
	}
}
