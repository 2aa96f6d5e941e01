package luabind_test

import (
	"context"
	"io"
	"net/netip"
	"runtime"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
)

// source is a device in memory that gives the same packet n times and swallows
// what it is given.
type source struct {
	frame  []byte
	n      int
	sent   int
	before runtime.MemStats // after a tenth of the packets: caches are warm
	after  runtime.MemStats
	total  int
}

func newSource(n int, p *packet.Packet) *source {
	return &source{frame: p.Bytes(), n: n, total: n}
}

func (s *source) Info() engine.Info                         { return engine.Info{Name: "tun0", MTU: 1500} }
func (s *source) Attach(engine.Env) ([]engine.Queue, error) { return []engine.Queue{s}, nil }
func (s *source) Detach()                                   {}
func (s *source) Close() error                              { return nil }
func (s *source) FD() int                                   { return -1 }
func (s *source) Read(ps []*packet.Packet, pool *packet.Pool) (int, error) {
	if s.n == s.total-s.total/10/64*64 {
		runtime.ReadMemStats(&s.before)
	}
	if s.n == 0 {
		runtime.ReadMemStats(&s.after)
		return 0, io.EOF
	}
	n := min(len(ps), s.n)
	s.n -= n
	for i := range n {
		ps[i] = pool.Get(len(s.frame))
		ps[i].Set(s.frame, packet.IP)
	}
	return n, nil
}
func (s *source) Write(ps []*packet.Packet, _ func(*packet.Packet, engine.Reason)) error {
	for _, p := range ps {
		p.Bytes()
	}
	s.sent += len(ps)
	return nil
}

// run passes n packets like p through a script.
func run(tb testing.TB, src string, n int, p *packet.Packet) *source {
	tb.Helper()
	script, err := luabind.LoadString("bench.lua", src, luabind.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	dev := newSource(n, p)
	eng, err := engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: dev, Forward: "tun0"}},
		Programs: []engine.ProgramConfig{{Program: script}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	if err := eng.Run(context.Background()); err != nil {
		tb.Fatal(err)
	}
	for _, h := range eng.Stats().Handlers {
		if h.Failed > 0 {
			tb.Fatalf("%s failed %d times: %v", h.Name, h.Failed, eng.Stats())
		}
	}
	return dev
}

var (
	host = netip.MustParseAddr("192.0.2.1")
	peer = netip.MustParseAddr("192.0.2.2")
)

func echoRequest(tb testing.TB) *packet.Packet {
	tb.Helper()
	p, err := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.ICMP{Type: packet.EchoRequest, ID: 1, Seq: 1}, packet.Payload("0123456789abcdef0123456789abcdef0123456789abcdef01234567"))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func udpPacket(tb testing.TB) *packet.Packet {
	tb.Helper()
	p, err := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.UDP{Sport: 40000, Dport: 7}, packet.Payload("hello"))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

var benchScripts = []struct{ name, src string }{
	{"none", ``},
	{"drop", `on(function(p) return "drop" end)`},
	{"empty", `local n on(function(p) n = nil end)`},
	{"echo", `on("icmp[icmptype] == icmp-echo", function(p) return p:reply() end)`},
	{"answer", `on("icmp[icmptype] == icmp-echo", function(p) local r = p:reply() return r end)`},
	{"read", `on(function(p) if p.ip.dst == "192.0.2.9" then return "drop" end end)`},
	{"write", `on(function(p) p.ip.ttl = p.ip.ttl - 1 end)`},
	{"raw", `on(function(p) if p:u8(9) ~= 1 or p.ip:u16(2) ~= 84 or p.icmp:u32(4) ~= 65537 or p.ip:bits(4, 4) ~= 5 then error("misread") end end)`},
	{"flow", `on(function(p) local f = p.flow if f.dir == "back" or f.busy then return "drop" end end)`},
	{"bypass", `on(function(p) p.flow:bypass("pass") end)`},
	{"count", `local n = 0 on(function(p) n = n + p.len end)`},
}

func BenchmarkHandler(b *testing.B) {
	for _, s := range benchScripts {
		b.Run(s.name, func(b *testing.B) {
			p := echoRequest(b)
			b.ReportAllocs()
			run(b, s.src, b.N, p)
		})
	}
}

// A steady state allocates nothing per packet: neither for the packet nor for the
// answer, nor for the fields that are read and written.
func TestNoAllocationsPerPacket(t *testing.T) {
	for _, s := range benchScripts {
		if s.name == "count" { // a growing number is a new one each time
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			const n = 100_000
			dev := run(t, s.src, n, echoRequest(t))
			// What is left over is the runtime's own: a timer, a wake-up.
			if got := dev.after.Mallocs - dev.before.Mallocs; got > 100 {
				t.Errorf("%d allocations over %d packets, %d bytes", got, n*9/10, dev.after.TotalAlloc-dev.before.TotalAlloc)
			}
			if dev.sent != n && s.name != "drop" {
				t.Errorf("%d packets left, want %d", dev.sent, n)
			}
		})
	}
}
