package link_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/link"
)

// What is opened with nonsense, closed twice or used afterwards is an error of the kind
// that its comment names, and never a panic. A Device that Open has not made is a closed
// one.
func TestMisuse(t *testing.T) {
	leaks(t)
	opened := func() *link.Device {
		d, err := link.Open(link.Config{Kind: link.TCP, Local: anyPort})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	}
	closed := func() *link.Device {
		d := opened()
		d.Close()
		return d
	}
	queue := func(env engine.Env) (engine.Queue, *link.Device) {
		d := opened()
		qs, err := d.Attach(env)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { qs[0].Close() })
		return qs[0], d
	}
	attach := func(d *link.Device, env engine.Env) error {
		_, err := d.Attach(env)
		return err
	}
	var pool packet.Pool
	for name, row := range map[string]struct {
		do   func() error
		want error // nil: no error
	}{
		"Close twice":         {func() error { d := opened(); return errors.Join(d.Close(), d.Close()) }, nil},
		"Attach a closed one": {func() error { return attach(closed(), engine.Env{}) }, engine.ErrClosed},
		"Attach on no clock":  {func() error { return attach(opened(), engine.Env{Virtual: true}) }, link.ErrVirtual},
		"Attach twice":        {func() error { _, d := queue(engine.Env{}); return attach(d, engine.Env{}) }, engine.ErrInUse},
		"Detach of nobody's":  {func() error { d := opened(); d.Detach(); d.Detach(); return nil }, nil},
		"Detach twice": {func() error {
			_, d := queue(engine.Env{})
			d.Detach()
			d.Detach()
			return attach(d, engine.Env{Virtual: true})
		}, link.ErrVirtual},
		"Detach of a closed":    {func() error { d := closed(); d.Detach(); return attach(d, engine.Env{}) }, engine.ErrClosed},
		"a zero Device":         {func() error { return attach(new(link.Device), engine.Env{}) }, engine.ErrClosed},
		"Close of a zero":       {func() error { d := new(link.Device); d.Detach(); return errors.Join(d.Close(), d.Close()) }, nil},
		"a zero one's":          {func() error { d := new(link.Device); d.Info(); d.Stats(); d.Addr(); return nil }, nil},
		"a closed one's":        {func() error { d := closed(); d.Info(); d.Stats(); d.Addr(); return nil }, nil},
		"nothing to read into":  {func() error { q, _ := queue(engine.Env{}); _, err := q.Read(nil, nil); return err }, nil},
		"nothing to write":      {func() error { q, _ := queue(engine.Env{}); return q.Write(nil, nil) }, nil},
		"a queue, closed twice": {func() error { q, _ := queue(engine.Env{}); return errors.Join(q.Close(), q.Close()) }, nil},
		"a closed queue": {func() error {
			q, _ := queue(engine.Env{})
			q.Close()
			if err := q.Write(packets(t, udp(100, 1)), func(*packet.Packet, engine.Reason) {}); err != nil {
				return err
			}
			_, err := q.Read(make([]*packet.Packet, 1), &pool)
			return err
		}, io.EOF},
		"a queue of a closed one": {func() error {
			q, d := queue(engine.Env{})
			d.Close()
			_, err := q.Read(make([]*packet.Packet, 1), &pool)
			return err
		}, io.EOF},
		"nobody to wake": {func() error { // when a packet comes, or the peer goes
			q, d := queue(engine.Env{})
			c, err := net.Dial("tcp", d.Addr())
			if err != nil {
				return err
			}
			c.Write(frame(udp(100, 1)))
			ps := make([]*packet.Packet, 1)
			for begun := time.Now(); ps[0] == nil && time.Since(begun) < patience; time.Sleep(time.Millisecond) {
				if _, err := q.Read(ps, &pool); err != nil {
					return err
				}
			}
			return c.Close()
		}, nil},
	} {
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%s panics: %v", name, r)
				}
			}()
			if err := row.do(); !errors.Is(err, row.want) || row.want == nil && err != nil {
				t.Errorf("%s: %v, want %v", name, err, row.want)
			}
		}()
	}
	remote := "198.51.100.1:1"
	for _, c := range []link.Config{
		{}, {Kind: "nonsense"}, {Kind: link.TCP}, {Kind: link.UDP}, {Kind: link.TCP, Remote: "nonsense"}, {Kind: link.TCP, Remote: ":"},
		{Kind: link.TCP, Remote: remote, MTU: -1}, {Kind: link.TCP, Remote: remote, MTU: 1 << 20}, {Kind: link.UDP, Remote: remote, MTU: 65508},
		{Kind: link.TCP, Remote: remote, Stall: -1}, {Kind: link.TCP, Remote: remote, Cert: "a"}, {Kind: link.TCP, Remote: remote, Key: "a"},
		{Kind: link.UDP, Remote: remote, CA: "a"}, {Kind: link.TCP, Local: anyPort, CA: "a"}, {Kind: link.TCP, Remote: remote, CA: "a", Insecure: true},
	} {
		d, err := link.Open(c)
		if d != nil || !errors.Is(err, link.ErrBadConfig) {
			t.Errorf("Open(%+v): %v", c, err)
		}
	}
	if _, err := link.Open(link.Config{Kind: link.TCP, Local: netip.MustParseAddrPort("0.0.0.0:0")}); !errors.Is(err, link.ErrInsecure) {
		t.Errorf("an open door: %v", err)
	}
	new(link.Error).Unwrap()
}

// Attached, used and closed from many goroutines at once, with peers that come meanwhile:
// nothing hangs, and nothing is left.
func TestAllAtOnce(t *testing.T) {
	for _, kind := range []link.Kind{link.TCP, link.UDP} {
		t.Run(string(kind), func(t *testing.T) {
			leaks(t)
			for range 20 {
				d, err := link.Open(link.Config{Kind: kind, Local: anyPort})
				if err != nil {
					t.Fatal(err)
				}
				var all sync.WaitGroup
				for range 8 {
					all.Go(func() {
						if qs, err := d.Attach(engine.Env{Now: time.Now, Wake: func(int) {}}); err == nil {
							qs[0].Write(packets(t, udp(100, 1)), func(*packet.Packet, engine.Reason) {})
							defer qs[0].Close()
						}
						if c, err := net.Dial(string(kind), d.Addr()); err == nil {
							c.Write(frame(udp(100, 1)))
							c.Close()
						}
						d.Info()
						d.Stats()
						d.Close()
					})
				}
				done := make(chan struct{})
				go func() { all.Wait(); close(done) }()
				select {
				case <-done:
				case <-time.After(2 * patience):
					t.Fatal("it hangs")
				}
				if _, err := d.Attach(engine.Env{}); !errors.Is(err, engine.ErrClosed) {
					t.Errorf("afterwards: %v, want %v", err, engine.ErrClosed)
				}
			}
		})
	}
}
