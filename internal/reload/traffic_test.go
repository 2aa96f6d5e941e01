package reload_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/reload"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// rate is packets a second, as far as the machine has room for them.
const rate = 200_000

// window is how many may be under way: fewer than the rings of a Pipe hold.
const window = 400

var (
	host = netip.MustParseAddr("192.0.2.1")
	peer = netip.MustParseAddr("192.0.2.2")
)

// slow is a script that takes some 20 ms to load, counts what it sees, hands the count
// on, and marks what it answers with its generation.
const slow = `
for i = 1, 400000 do local x = i * 2 end
n, generation = 0, option("generation", { default = 0 })
on("udp", function(p)
	n = n + 1
	p.ip.tos = 4 * generation
	return p
end)
on_stop(function() return n end)
on_reload(function(before) n = n + before end)`

// A generation is a script that is loaded again and again.
type generation struct {
	n    atomic.Int64
	took atomic.Int64 // ns of the last load and start
}

func (g *generation) load(int) (engine.Program, error) {
	n := g.n.Add(1)
	s, err := luabind.LoadString("slow.lua", slow, luabind.Options{Name: "slow", Option: func(luabind.Option) (any, bool) { return n - 1, true }})
	if err != nil {
		return nil, err
	}
	return &timed{s, g}, nil
}

// timed measures how long a start takes.
type timed struct {
	*luabind.Script
	g *generation
}

func (t *timed) Start(s *engine.Scope) error {
	start := time.Now()
	err := t.Script.Start(s)
	t.g.took.Store(int64(time.Since(start)))
	return err
}

// paced calls send for packet after packet, so many a second, until stop, and returns how
// many that were and at which rate.
func paced(stop <-chan struct{}, send func(n uint64) error) (sent uint64, perSecond float64, err error) {
	begin := time.Now()
	for {
		select {
		case <-stop:
			return sent, float64(sent) / time.Since(begin).Seconds(), nil
		default:
		}
		// What is due, but not what was missed for long: a machine that is busy would
		// get all of it at once.
		due := min(uint64(time.Since(begin).Seconds()*rate), sent+rate/1000)
		for ; sent < due; sent++ {
			if err := send(sent); err != nil {
				return sent, 0, err
			}
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// Five reloads under traffic: every packet is answered once, in order, by one generation
// after the other, and the count that they hand on is exact.
func TestNothingIsLost(t *testing.T) {
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0"})
	var g generation
	first, err := g.load(0)
	if err != nil {
		t.Fatal(err)
	}
	eng, err := engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: dev, Forward: "tun0"}},
		Programs: []engine.ProgramConfig{{Program: first}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	ctx, stopRun := context.WithCancel(t.Context())
	go func() { ran <- eng.Run(ctx) }()

	stop := make(chan struct{})
	var answered atomic.Uint64
	type result struct {
		sent uint64
		rate float64
		err  error
	}
	sent := make(chan result, 1)
	go func() {
		frame := make([]byte, 8)
		p, err := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.UDP{Sport: 4000, Dport: 7}, packet.Payload(frame))
		if err != nil {
			sent <- result{err: err}
			return
		}
		n, perSecond, err := paced(stop, func(n uint64) error {
			for n >= answered.Load()+window { // else answers were lost to a reader that is late
				runtime.Gosched()
			}
			binary.BigEndian.PutUint64(frame, n)
			if err := p.SetPayload(frame); err != nil {
				return err
			}
			_, err := wire.Write(p.Bytes())
			return err
		})
		sent <- result{n, perSecond, err}
	}()
	wrong := make(chan error, 1)
	go func() { wrong <- inOrder(wire, &answered) }()

	scripts := reload.New(eng, []engine.Program{first}, g.load)
	worst := time.Duration(0)
	for range 5 {
		before := answered.Load()
		for answered.Load() < before+1000 {
			time.Sleep(time.Millisecond)
		}
		if _, err := scripts.All(); err != nil {
			t.Fatal(err)
		}
		worst = max(worst, time.Duration(g.took.Load()))
	}
	close(stop)
	s := <-sent
	if s.err != nil {
		t.Fatal(s.err)
	}
	for until := time.Now().Add(20 * time.Second); answered.Load() < s.sent && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	last, _ := scripts.Program("slow")
	if n := counted(t, eng, last); n != fmt.Sprint(s.sent) {
		t.Errorf("the scripts have counted %s packets, %d were sent", n, s.sent)
	}
	st := eng.Stats()
	if d := st.Devices["tun0"]; d.Received != s.sent || d.Sent != s.sent || d.Lost != 0 || answered.Load() != s.sent {
		t.Errorf("%d packets sent, %d answered, and the device says %+v, %v", s.sent, answered.Load(), d, st.Reasons)
	}
	stopRun()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if err := <-wrong; err != nil {
		t.Error(err)
	}
	t.Logf("%d packets, %.0f a second; the slowest of 5 loads took %v", s.sent, s.rate, worst)
}

// counted is what the script that runs has counted.
func counted(t *testing.T, eng *engine.Engine, p engine.Program) string {
	t.Helper()
	e, err := luabind.NewEval("n")
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	if doErr := eng.Do(1, p, func(s *engine.Scope) { values, err = e.Run(s) }); doErr != nil || err != nil {
		t.Fatal(doErr, err)
	}
	return values[0]
}

// inOrder reads answers until the wire is closed: numbers without a gap, generations that
// never go back.
func inOrder(wire *tundev.Wire, answered *atomic.Uint64) error {
	buf := make([]byte, 2048)
	generation := uint8(0)
	var first error
	for {
		n, err := wire.Read(buf)
		if err != nil {
			return first
		}
		p, err := packet.Parse(buf[:n], packet.IP)
		if err != nil {
			return err
		}
		ip, _ := p.IPv4()
		want := answered.Load()
		if got := binary.BigEndian.Uint64(p.Payload()); first == nil && (got != want || ip.TOS()/4 < generation) {
			first = fmt.Errorf("packet %d of generation %d where packet %d of at least %d is due", got, ip.TOS()/4, want, generation)
		}
		generation = ip.TOS() / 4
		answered.Store(want + 1)
	}
}
