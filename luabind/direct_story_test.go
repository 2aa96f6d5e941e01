package luabind_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
)

// Asked directly, a handler decides, answers and fails as it does in Lua.
func TestDirectHandlersSayWhatLuaSays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var packets []*packet.Packet
	for len(packets) < 500 {
		if p := randomPacket(r); p.Link() == packet.IP {
			packets = append(packets, p)
		}
	}
	for _, h := range luabind.DirectHandlers {
		got, want := decisions(t, h.Source, packets), decisions(t, h.Roundabout, packets)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\nLua says -, asked directly it is +\n%s", h.Source, diff)
		}
		if len(want) < len(packets) {
			t.Errorf("%s: %d decisions about %d packets", h.Source, len(want), len(packets))
		}
	}
}

// decisions is all that comes of packets in front of a handler: what is decided, and
// behind it what is sent. How much is decided between two writes is a matter of time.
func decisions(t *testing.T, handler string, packets []*packet.Packet) []string {
	t.Helper()
	var decided, sent []string
	script, err := luabind.LoadString("case.lua", "on("+handler+")", luabind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	eng, err := engine.New(engine.Config{
		Seed:     1,
		Devices:  []engine.DeviceConfig{{Device: &queueOf{ps: packets}, Forward: "tun0"}},
		Programs: []engine.ProgramConfig{{Program: script}},
		Observer: engine.ObserverFunc(func(e *engine.Event) {
			line := fmt.Sprint(e.Kind, " ", e.Handler, " ", e.Reason, e.Err)
			if e.Packet != nil {
				line += fmt.Sprintf(" %x", e.Packet.Bytes())
			}
			if e.Kind == engine.Sent {
				sent = append(sent, line)
			} else {
				decided = append(decided, line)
			}
		}),
	})
	if err == nil {
		err = eng.Run(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(decided, sent...)
}

// A queueOf is a device that gives some packets and ends.
type queueOf struct{ ps []*packet.Packet }

func (q *queueOf) Info() engine.Info                         { return engine.Info{Name: "tun0", MTU: 1500} }
func (q *queueOf) Attach(engine.Env) ([]engine.Queue, error) { return []engine.Queue{q}, nil }
func (q *queueOf) Detach()                                   {}
func (q *queueOf) Close() error                              { return nil }
func (q *queueOf) FD() int                                   { return -1 }

func (q *queueOf) Read(ps []*packet.Packet, pool *packet.Pool) (int, error) {
	n := min(len(ps), len(q.ps))
	if n == 0 {
		return 0, io.EOF
	}
	for i, p := range q.ps[:n] {
		ps[i] = pool.Get(p.Len())
		if err := ps[i].Set(p.Bytes(), packet.IP); err != nil {
			return 0, err
		}
	}
	q.ps = q.ps[n:]
	return n, nil
}

func (q *queueOf) Write([]*packet.Packet, func(*packet.Packet, engine.Reason)) error { return nil }
