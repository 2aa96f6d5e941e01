package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

var (
	host6 = netip.MustParseAddr("2001:db8::1")
	peer6 = netip.MustParseAddr("2001:db8::2")
)

// large is a datagram of IP version v with n bytes, letters from a on.
func large(t testing.TB, v, n int) *packet.Packet {
	t.Helper()
	payload := make(packet.Payload, n)
	for i := range payload {
		payload[i] = 'a' + byte(i/100%26)
	}
	ip := packet.Layer(packet.IPv4{Src: host, Dst: peer, ID: 7})
	if v == 6 {
		ip = packet.IPv6{Src: host6, Dst: peer6}
	}
	p, err := packet.Build(ip, packet.UDP{Sport: 4000, Dport: 7}, payload)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pieces is p in fragments of up to mtu bytes.
func pieces(t testing.TB, p *packet.Packet, mtu int) []*packet.Packet {
	t.Helper()
	ps, ok := frag.Cut(nil, p, mtu, nil)
	if !ok {
		t.Fatalf("%v is not cut", p)
	}
	return ps
}

// left is what has left by device i.
func (b *bench) left(i int) (all []*packet.Packet) {
	b.t.Helper()
	buf := make([]byte, packet.MaxLen)
	for b.wire[i].Pending() > 0 {
		n, err := b.wire[i].Read(buf)
		if err != nil {
			b.t.Fatal(err)
		}
		p, err := packet.Parse(buf[:n], packet.IP)
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// joined is the datagram that these are the fragments of.
func joined(t testing.TB, ps []*packet.Packet) *packet.Packet {
	t.Helper()
	j := frag.New(frag.Limits{}, nil, nil)
	for i, p := range ps {
		if whole, _ := j.Add(p, time.Unix(0, 0)); whole != nil && i == len(ps)-1 {
			return whole
		}
	}
	t.Fatalf("%d packets are not one datagram", len(ps))
	return nil
}

// tells is a handler that adds what it sees to seen: the length of a datagram, or the
// offset of a fragment.
func tells(seen *[]string, name string, h engine.Handler) engine.Handler {
	h.Run = func(p *packet.Packet) engine.Verdict {
		word := fmt.Sprint(len(p.Payload()))
		if l := p.Layout(); l.Fragment() {
			word = fmt.Sprintf("+%d", l.FragOff)
		}
		*seen = append(*seen, name+word)
		return engine.Pass()
	}
	return h
}

// Fragments are joined in front of the first handler that asks for it, wherever it
// stands: its filter sees the whole, those before it see fragments.
func TestWhereFragmentsAreJoined(t *testing.T) {
	const port7 = "udp dst port 7" // of fragments only the first has ports
	var seen []string
	for _, tt := range []struct {
		name     string
		handlers []engine.Handler // a, b, c
		want     string
	}{
		{"nobody asks", []engine.Handler{{}, {Filter: port7}}, "a+0 b+0 a+1480 a+2960"},
		{"the first", []engine.Handler{{Defrag: true, Filter: port7}, {}}, "a3000 b3000"},
		{"the second", []engine.Handler{{}, {Defrag: true, Filter: port7}, {}}, "a+0 a+1480 a+2960 b3000 c3000"},
		{"the last of a prio", []engine.Handler{{Prio: 5}, {Filter: port7}, {Defrag: true, Filter: port7}}, "b+0 c3000 a3000"},
		{"of a prio of its own", []engine.Handler{{}, {Prio: -5, Defrag: true}}, "b3000 a3000"},
		{"who does not want the whole, has it joined all the same", []engine.Handler{{Defrag: true, Filter: "tcp"}, {}}, "b3000"},
		{"on another device", []engine.Handler{{Defrag: true, Device: "tun1"}, {}}, "b+0 b+1480 b+2960"},
	} {
		seen = nil
		b := virtual(t, engine.ProgramFunc("p", func(s *engine.Scope) error {
			for i, h := range tt.handlers {
				if _, err := s.Handle(tells(&seen, string(rune('a'+i)), h)); err != nil {
					return err
				}
			}
			return nil
		}))
		p := large(t, 4, 3000)
		b.step(0, pieces(t, p, 1500)...)
		if got := strings.Join(seen, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		out := b.left(1)
		if len(out) != 3 || !bytes.Equal(joined(t, out).Bytes(), p.Bytes()) {
			t.Errorf("%s: %d packets leave, and they are not what came", tt.name, len(out))
		}
	}
}

// What was joined leaves in fragments, whatever was changed, no larger than it came.
func TestWhatWasJoinedIsCutAgain(t *testing.T) {
	for _, v := range []int{4, 6} {
		b := virtual(t, handler("p", engine.Handler{Defrag: true, Run: func(p *packet.Packet) engine.Verdict {
			p.SetPayload(append(bytes.Clone(p.Payload()), "and more"...))
			q := p.Clone() // a copy came as the packet did
			return engine.Replace(q)
		}}))
		p := large(t, v, 3000)
		b.step(0, pieces(t, p, 1300)...)
		out := b.left(1)
		for _, q := range out {
			if q.Len() > 1300 {
				t.Errorf("IPv%d: a fragment of %d bytes, and none larger than 1300 came", v, q.Len())
			}
		}
		whole := joined(t, out)
		if layer, ok := whole.Valid(); !ok || string(whole.Payload()) != string(p.Payload())+"and more" {
			t.Errorf("IPv%d: %v is not right: %s", v, whole, layer)
		}
		if s := b.Stats(); s.Devices["tun1"].Sent != 3 || s.Verdicts["replace"] != 1 || s.Verdicts["hold"] != 2 || s.Reasons[engine.ReasonHeld] != 3 {
			t.Errorf("IPv%d: %+v", v, s)
		}
	}
}

// An echo of 60000 bytes is answered, in either version.
func TestALargePing(t *testing.T) {
	b := virtual(t, handler("ping", engine.Handler{Defrag: true, Run: func(p *packet.Packet) engine.Verdict {
		return engine.Replace(p.Reply())
	}}))
	data := packet.Payload(large(t, 4, 60000).Payload())
	for v, layers := range map[int][]packet.Layer{
		4: {packet.IPv4{Src: host, Dst: peer}, packet.ICMP{Type: packet.EchoRequest, ID: 1, Seq: 2}, data},
		6: {packet.IPv6{Src: host6, Dst: peer6}, packet.ICMPv6{Type: packet.EchoRequest6, ID: 1, Seq: 2}, data},
	} {
		p, err := packet.Build(layers...)
		if err != nil {
			t.Fatal(err)
		}
		b.step(0, pieces(t, p, 1500)...)
		reply := joined(t, b.left(0))
		if layer, ok := reply.Valid(); !ok || !bytes.Equal(reply.Payload(), data) {
			t.Errorf("IPv%d: %v is no answer: %s", v, reply, layer)
		}
	}
}

// Who may not be cut is too big: IPv6 that came whole, and its copies, but not what
// was made here.
func TestWhoIsTooBig(t *testing.T) {
	var made bool
	program := handler("p", engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
		q := p.Clone()
		if made {
			q, _ = packet.Parse(p.Bytes(), packet.IP)
			q.Out = p.Out
		}
		return engine.Replace(q)
	}})
	b := newBench(t, func(c *engine.Config) {
		c.Clock = engine.Virtual(time.Unix(0, 0))
		c.Devices[1].Device, _ = tundev.Pipe(tundev.Config{Name: "tun1", Kind: tundev.TUN, MTU: 1280})
	}, program)
	b.step(0, large(t, 6, 1400))
	if s := b.Stats(); s.Reasons[engine.ReasonTooBig] != 1 || s.Devices["tun1"].Sent != 0 {
		t.Errorf("IPv6 that came whole: %+v", s.Reasons)
	}
	made = true
	b.step(0, large(t, 6, 1400))
	if s := b.Stats(); s.Reasons[engine.ReasonTooBig] != 1 || s.Devices["tun1"].Sent != 2 {
		t.Errorf("IPv6 that was made: %+v, sent %d, want two fragments", s.Reasons, s.Devices["tun1"].Sent)
	}
}

// A segment that grows by a byte, as all of Linux with DF, is two.
func TestASegmentThatGrows(t *testing.T) {
	b := virtual(t, handler("grow", engine.Handler{Run: say("!")}))
	p, err := packet.Build(packet.IPv4{Src: host, Dst: peer, DF: true},
		packet.TCP{Sport: 1, Dport: 2, Seq: 100, Flags: packet.ACK | packet.PSH}, packet.Payload(make([]byte, 1460)))
	if err != nil {
		t.Fatal(err)
	}
	b.step(0, p)
	var got []string
	for _, q := range b.left(1) {
		tcp, _ := q.TCP()
		got = append(got, fmt.Sprintf("%d %s %d", tcp.Seq(), tcp.Flags(), len(q.Payload())))
	}
	if diff := cmp.Diff([]string{"100 A 1460", "1560 PA 1"}, got); diff != "" {
		t.Error(diff)
	}
}

// What is not whole after 30 s is given up, at its time, and shown.
func TestFragmentsExpire(t *testing.T) {
	var seen []string
	watch := func(c *engine.Config) {
		c.Clock = engine.Virtual(time.Unix(0, 0))
		c.Observer = engine.ObserverFunc(func(e *engine.Event) {
			off := e.Packet.Layout().FragOff
			seen = append(seen, fmt.Sprintf("%d %s %s %s%s+%d %q", e.Time.Unix(), e.Kind, e.Device, e.Program, e.Handler, off, e.Reason))
		})
	}
	b := newBench(t, watch, handler("p", engine.Handler{Defrag: true, Name: "h", Run: say("")}))
	ps := pieces(t, large(t, 4, 3000), 1500)
	b.step(time.Second, ps[1], ps[2], ps[2])
	b.step(time.Minute)
	b.step(0, ps[0])
	want := []string{
		`0 received tun0 +1480 ""`, `0 hold tun0 +1480 "fragment"`,
		`0 received tun0 +2960 ""`, `0 hold tun0 +2960 "fragment"`,
		`0 received tun0 +2960 ""`, `0 drop tun0 +2960 "fragment duplicate"`,
		`30 abandoned tun0 +1480 "fragment expired"`,
		`61 received tun0 +0 ""`, `61 hold tun0 +0 "fragment"`,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
	// Whole, and what then becomes of it.
	seen = nil
	b.step(0, ps[1], ps[2])
	want = []string{
		`61 received tun0 +1480 ""`, `61 hold tun0 +1480 "fragment"`,
		`61 received tun0 +2960 ""`, `61 joined tun0 +0 ""`, `61 pass tun0 +0 ""`,
		`61 sent tun1 +0 ""`, `61 sent tun1 +1480 ""`, `61 sent tun1 +2960 ""`,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
	wantCounts := map[engine.Reason]uint64{engine.ReasonHeld: 5, engine.ReasonFragExpired: 2, engine.ReasonFragDuplicate: 1}
	if diff := cmp.Diff(wantCounts, b.Stats().Reasons); diff != "" {
		t.Error(diff)
	}
}

// A run on a virtual clock does not wait for fragments that will not come; at its
// end they are counted.
func TestHeldFragmentsHoldNothingOpen(t *testing.T) {
	d := &tape{name: "in.pcap", frame: pieces(t, large(t, 4, 3000), 1500)[0].Bytes(), times: []time.Duration{time.Second}}
	ticks := 0
	program := engine.ProgramFunc("p", func(s *engine.Scope) error {
		s.Every(time.Second, func() { ticks++ })
		_, err := s.Handle(engine.Handler{Defrag: true, Run: say("")})
		return err
	})
	eng, err := engine.New(engine.Config{
		Clock: engine.Virtual(time.Unix(0, 0)), Devices: []engine.DeviceConfig{{Device: d}},
		Programs: []engine.ProgramConfig{{Program: program}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := eng.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := eng.Stats().Reasons[engine.ReasonFragExpired]; n != 1 || ticks > 1 {
		t.Errorf("%d fragments expired, want 1, and %d ticks, want at most 1", n, ticks)
	}
}

// The handler that asked may go while fragments are held, and come again.
func TestWhoAskedGoes(t *testing.T) {
	var seen []string
	asks := handler("asks", tells(&seen, "", engine.Handler{Defrag: true}))
	b := virtual(t, asks)
	ps := pieces(t, large(t, 4, 3000), 1500)
	b.step(0, ps[0])
	if err := b.Remove(asks); err != nil {
		t.Fatal(err)
	}
	b.step(0, ps[1])
	if n := len(b.left(1)); n != 1 {
		t.Errorf("%d packets leave without a handler, want the fragment", n)
	}
	if err := b.Add(asks); err != nil {
		t.Fatal(err)
	}
	b.step(0, ps[1], ps[2])
	if diff := cmp.Diff([]string{"3000"}, seen); diff != "" {
		t.Error(diff)
	}
}

// A flood of beginnings costs bounded memory, and what goes is counted.
func TestAFloodOfFragments(t *testing.T) {
	b := virtual(t, handler("p", engine.Handler{Defrag: true, Run: say("")}))
	p := pieces(t, large(t, 4, 3000), 1500)[0]
	ip, _ := p.IPv4()
	for i := range 5000 {
		ip.SetID(uint16(i))
		b.step(0, p)
	}
	s := b.Stats()
	if s.Reasons[engine.ReasonHeld] != 5000 || s.Reasons[engine.ReasonFragLimit] < 3000 {
		t.Errorf("%v: want 5000 taken in, and most of them given up", s.Reasons)
	}
}

// twofold is an endless device that gives a datagram in two fragments.
type twofold struct {
	endless
	frames [2][]byte
}

func (d *twofold) Attach(engine.Env) ([]engine.Queue, error) { return []engine.Queue{d}, nil }
func (d *twofold) Read(ps []*packet.Packet, pool *packet.Pool) (int, error) {
	switch d.n {
	case d.total - d.total/10:
		runtime.ReadMemStats(&d.before)
	case 0:
		runtime.ReadMemStats(&d.after)
		return 0, io.EOF
	}
	d.n--
	for i, f := range d.frames {
		ps[i] = pool.Get(len(f))
		if err := ps[i].Set(f, packet.IP); err != nil {
			return i, err
		}
	}
	return 2, nil
}

// Joining and cutting allocate nothing, either.
func TestNoAllocationsPerDatagram(t *testing.T) {
	const n = 20_000
	d := &twofold{endless: endless{n: n, total: n}}
	for i, p := range pieces(t, large(t, 4, 2000), 1500) {
		d.frames[i] = p.Bytes()
	}
	eng, err := engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: d, Forward: "tun0"}},
		Programs: []engine.ProgramConfig{{Program: handler("p", engine.Handler{Defrag: true, Run: func(*packet.Packet) engine.Verdict { return engine.Pass() }})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := eng.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if d.sent != 2*n {
		t.Errorf("%d packets left, want %d", d.sent, 2*n)
	}
	if got := d.after.Mallocs - d.before.Mallocs; got > 100 {
		t.Errorf("%d allocations over %d datagrams", got, n*9/10)
	}
}
