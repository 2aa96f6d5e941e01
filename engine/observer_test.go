package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// Every event, in the order in which it happens, with its fields.
func TestEvents(t *testing.T) {
	var seen []string
	config := standing()
	config.Observer = engine.ObserverFunc(func(e *engine.Event) {
		payload := ""
		if e.Packet != nil {
			payload = string(e.Packet.Payload())
		}
		if len(payload) > 9 {
			payload = payload[:9]
		}
		seen = append(seen, fmt.Sprintf("%s %s %s/%s %q %s", e.Kind, e.Device, e.Program, e.Handler, e.Reason, payload))
		if e.Worker != 1 || !e.Time.Equal(time.Unix(0, 0)) {
			t.Errorf("event %+v: want worker 1 and the clock's time", e)
		}
	})
	config.Programs = []engine.ProgramConfig{{Program: engine.ProgramFunc("p", func(s *engine.Scope) error {
		_, err := s.Handle(engine.Handler{Name: "h", Run: func(p *packet.Packet) engine.Verdict {
			switch string(p.Payload()) {
			case "accept":
				return engine.Accept()
			case "drop":
				return engine.Drop("why")
			case "fail":
				return engine.Fail(errors.New("oh"))
			case "replace":
				return engine.Replace(p.Reply())
			case "big":
				grow(p)
				return engine.Accept()
			case "end":
				p.Out = nil
			}
			return engine.Pass()
		}})
		return err
	})}}
	dev := newMemory("tun0")
	eng := made(t, config, "tun0", dev)
	for _, c := range []struct {
		give string
		want []string
	}{
		{"pass", []string{`received tun0 / "" pass`, `pass tun0 / "" pass`, `sent tun0 / "" pass`}},
		{"accept", []string{`received tun0 / "" accept`, `accept tun0 p/h "" accept`, `sent tun0 / "" accept`}},
		{"drop", []string{`received tun0 / "" drop`, `drop tun0 p/h "why" drop`}},
		{"fail", []string{`received tun0 / "" fail`, `error  p/h "oh" fail`, `drop tun0 p/h "error" fail`}},
		{"replace", []string{`received tun0 / "" replace`, `replace tun0 p/h "" replace`, `sent tun0 / "" replace`}},
		{"big", []string{`received tun0 / "" big`, "accept tun0 p/h \"\" \x00\x00\x00\x00\x00\x00\x00\x00\x00", "lost tun0 / \"too_big\" \x00\x00\x00\x00\x00\x00\x00\x00\x00"}},
		{"end", []string{`received tun0 / "" end`, `pass tun0 / "unforwarded" end`}},
	} {
		seen = nil
		dev.give(text(t, c.give))
		step(t, eng)
		if !slices.Equal(seen, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.give, seen, c.want)
		}
	}
}

// An observer may come, with a filter, and go between packets.
func TestObserveWhileItRuns(t *testing.T) {
	dev := newMemory("tun0")
	eng := made(t, standing(), "", dev)
	step(t, eng)
	f, err := filter.Compile("udp port 9")
	if err != nil {
		t.Fatal(err)
	}
	var all, some counting
	stop := eng.Observe(&all, nil)
	defer eng.Observe(&some, f)()
	dev.give(text(t, "x"))
	step(t, eng)
	stop()
	stop()
	dev.give(text(t, "y"))
	step(t, eng)
	if all.n != 2 || some.n != 0 {
		t.Errorf("%d and %d events, want received and pass of one packet, and none of port 9", all.n, some.n)
	}
}
