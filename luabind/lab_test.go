package luabind_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/vm"
	"github.com/tunscript/tunscript/tundev"
)

// A lab is scripts between two devices in memory, tun0 and tun1 (or tap0 and tap1),
// on a clock that the test moves. What the host puts on a wire is handled at once.
type lab struct {
	t      testing.TB
	eng    *engine.Engine
	wires  map[string]*tundev.Wire
	first  string // the first device
	logs   []string
	errs   []error
	ended  error
	script *luabind.Script // of withScript
}

// A setup says how a lab differs from the usual.
type setup struct {
	kind     tundev.Kind
	devices  int // 1
	scripts  []string
	forward  bool // tun0 and tun1 to each other, or tun0 to itself
	limits   vm.Limits
	onError  engine.OnError
	programs []engine.Program // instead of scripts
}

var (
	host6 = netip.MustParseAddr("2001:db8::1")
	peer6 = netip.MustParseAddr("2001:db8::2")
	t0    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	hostMAC = packet.MAC{2, 0, 0, 0, 0, 1}
	peerMAC = packet.MAC{2, 0, 0, 0, 0, 2}
)

// newLab starts one script on tun0.
func newLab(t testing.TB, script string) *lab {
	t.Helper()
	return setup{scripts: []string{script}}.start(t)
}

// start starts the lab; a script that does not load fails the test.
func (s setup) start(t testing.TB) *lab {
	t.Helper()
	l, err := s.try(t)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// try starts the lab, or returns why a script does not load.
func (s setup) try(t testing.TB) (*lab, error) {
	t.Helper()
	l := &lab{t: t, wires: map[string]*tundev.Wire{}}
	if s.kind == "" {
		s.kind = tundev.TUN
	}
	cfg := engine.Config{Seed: 1, Clock: engine.Virtual(t0), OnError: s.onError, Observer: engine.ObserverFunc(l.observe)}
	n := max(s.devices, 1)
	for i := range n {
		name := fmt.Sprintf("%s%d", s.kind, i)
		dev, wire := tundev.Pipe(tundev.Config{
			Name: name, Kind: s.kind, MAC: hostMAC, PeerMAC: peerMAC,
			Address: []netip.Prefix{netip.PrefixFrom(host, 24), netip.PrefixFrom(host6, 64)},
			Peer:    []netip.Addr{peer, peer6},
		})
		d := engine.DeviceConfig{Device: dev}
		if s.forward {
			d.Forward = fmt.Sprintf("%s%d", s.kind, (i+1)%n)
		}
		cfg.Devices = append(cfg.Devices, d)
		l.wires[name] = wire
		if i == 0 {
			l.first = name
		}
	}
	for i, src := range s.scripts {
		p, err := l.load(fmt.Sprintf("script%d.lua", i+1), src, s.limits)
		if err != nil {
			return nil, err
		}
		s.programs = append(s.programs, p)
	}
	for _, p := range s.programs {
		cfg.Programs = append(cfg.Programs, engine.ProgramConfig{Program: p})
	}
	eng, err := engine.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l.eng = eng
	t.Cleanup(func() { eng.Close() })
	return l, eng.Advance(0)
}

// load compiles a script whose log goes to the lab.
func (l *lab) load(name, src string, limits vm.Limits) (*luabind.Script, error) {
	return luabind.LoadString(name, src, luabind.Options{Limits: limits, Log: func(level luabind.Level, script, text string) {
		l.logs = append(l.logs, [...]string{"debug", "info", "warn", "error"}[level]+": "+text)
	}})
}

func (l *lab) observe(e *engine.Event) {
	if e.Kind == engine.Failed {
		l.errs = append(l.errs, e.Err)
	}
}

// put has the host put packets on the wire of the first device.
func (l *lab) put(ps ...*packet.Packet) {
	l.t.Helper()
	l.putOn(l.first, ps...)
}

func (l *lab) putOn(device string, ps ...*packet.Packet) {
	l.t.Helper()
	for _, p := range ps {
		if _, err := l.wires[device].Write(p.Bytes()); err != nil {
			l.t.Fatal(err)
		}
		l.advance(0)
	}
}

// advance lets time go by.
func (l *lab) advance(d time.Duration) {
	l.t.Helper()
	if l.ended != nil {
		return
	}
	if l.ended = l.eng.Advance(d); errors.Is(l.ended, engine.ErrStopped) {
		l.ended = nil
	}
}

// got is what came out of the first device since it was last asked.
func (l *lab) got() []*packet.Packet {
	l.t.Helper()
	return l.gotOn(l.first)
}

func (l *lab) gotOn(device string) (ps []*packet.Packet) {
	l.t.Helper()
	link := packet.IP
	if strings.HasPrefix(device, "tap") {
		link = packet.Ethernet
	}
	buf := make([]byte, 70000)
	for {
		n, err := l.wires[device].Read(buf)
		if err != nil {
			return ps
		}
		p, err := packet.Parse(buf[:n], link)
		if err != nil {
			l.t.Fatal(err)
		}
		ps = append(ps, p)
	}
}

// one is the only packet that came out.
func (l *lab) one() *packet.Packet {
	l.t.Helper()
	ps := l.got()
	if len(ps) != 1 {
		l.t.Fatalf("%d packets came out, want 1: %v; errors: %v; log: %q", len(ps), ps, l.errs, l.logs)
	}
	return ps[0]
}

// clean fails the test if a script failed.
func (l *lab) clean() {
	l.t.Helper()
	if len(l.errs) > 0 {
		l.t.Errorf("the script failed: %v", l.errs)
	}
}

// fails is the text of the only error, which it forgets.
func (l *lab) fails() string {
	l.t.Helper()
	if len(l.errs) != 1 {
		l.t.Fatalf("%d errors, want 1: %v; log: %q", len(l.errs), l.errs, l.logs)
	}
	text := l.errs[0].Error()
	l.errs = nil
	return text
}

// said is the log so far, which it forgets.
func (l *lab) said() string {
	text := strings.Join(l.logs, "\n")
	l.logs = nil
	return text
}

func build(t testing.TB, layers ...packet.Layer) *packet.Packet {
	t.Helper()
	p, err := packet.Build(layers...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ip4() packet.IPv4  { return packet.IPv4{Src: host, Dst: peer, ID: 7} }
func ip6() packet.IPv6  { return packet.IPv6{Src: host6, Dst: peer6} }
func frame() packet.Eth { return packet.Eth{Src: hostMAC, Dst: peerMAC} }
func udp() packet.UDP   { return packet.UDP{Sport: 4000, Dport: 7} }
func syn() packet.TCP   { return packet.TCP{Sport: 4000, Dport: 80, Seq: 100, Flags: packet.SYN} }
func ack() packet.TCP {
	return packet.TCP{Sport: 4000, Dport: 80, Seq: 100, Ack: 200, Flags: packet.ACK}
}
func text() packet.Payload {
	return packet.Payload("hello")
}
