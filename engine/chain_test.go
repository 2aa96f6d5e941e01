package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// Handlers run by prio, then by program, then as registered.
func TestOrder(t *testing.T) {
	program := func(name string, prios ...int) engine.Program {
		return engine.ProgramFunc(name, func(s *engine.Scope) error {
			for i, prio := range prios {
				if _, err := s.Handle(engine.Handler{Prio: prio, Run: say(fmt.Sprintf(" %s%d", name, i))}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	b := virtual(t, program("a", 0, 10, -10), program("b", 0, 10, -10, 0))
	b.step(0, udp(t, 7, "x"))
	if diff := cmp.Diff([]string{"x a2 b2 a0 b0 b3 a1 b1"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
}

func TestVerdicts(t *testing.T) {
	later := engine.Handler{Prio: 1, Run: say("!")}
	for _, tt := range []struct {
		name       string
		run        func(p *packet.Packet) engine.Verdict
		tun0, tun1 []string
		reasons    map[engine.Reason]uint64
	}{
		{name: "pass goes on and forwards", tun1: []string{"x!"},
			run: func(*packet.Packet) engine.Verdict { return engine.Pass() }},
		{name: "the zero verdict passes", tun1: []string{"x!"},
			run: func(*packet.Packet) engine.Verdict { return engine.Verdict{} }},
		{name: "accept forwards at once", tun1: []string{"x"},
			run: func(*packet.Packet) engine.Verdict { return engine.Accept() }},
		{name: "drop has a reason", reasons: map[engine.Reason]uint64{"blocked": 1},
			run: func(*packet.Packet) engine.Verdict { return engine.Drop("blocked") }},
		{name: "drop may have none",
			run: func(*packet.Packet) engine.Verdict { return engine.Drop("") }},
		{name: "an answer goes back", tun0: []string{"x"},
			run: func(p *packet.Packet) engine.Verdict { return engine.Replace(p.Reply()) }},
		{name: "the packet itself, as it now is, skips later handlers", tun1: []string{"x"},
			run: func(p *packet.Packet) engine.Verdict { return engine.Replace(p) }},
		{name: "a list leaves in order", tun0: []string{"x"}, tun1: []string{"x", "x"},
			run: func(p *packet.Packet) engine.Verdict { return engine.Replace(p.Clone(), p.Reply(), p) }},
		{name: "one packet twice leaves once", tun1: []string{"x"}, reasons: map[engine.Reason]uint64{engine.ReasonTaken: 1},
			run: func(p *packet.Packet) engine.Verdict { return engine.Replace(p, p) }},
		{name: "nothing is a drop", reasons: map[engine.Reason]uint64{engine.ReasonEmpty: 1},
			run: func(p *packet.Packet) engine.Verdict { return engine.Replace() }},
		{name: "an answer that may not be given is a drop", reasons: map[engine.Reason]uint64{engine.ReasonEmpty: 1},
			run: func(p *packet.Packet) engine.Verdict { return engine.Replace(p.RST()) }},
		{name: "a failure drops", reasons: map[engine.Reason]uint64{engine.ReasonError: 1},
			run: func(p *packet.Packet) engine.Verdict { return engine.Fail(errors.New("no")) }},
		{name: "no error is no failure", tun1: []string{"x!"},
			run: func(p *packet.Packet) engine.Verdict { return engine.Fail(nil) }},
		{name: "twice in a list, without a way out", reasons: map[engine.Reason]uint64{engine.ReasonUnforwarded: 2},
			run: func(p *packet.Packet) engine.Verdict { p.Out = nil; return engine.Replace(p, p) }},
		{name: "a packet without a way out ends here", reasons: map[engine.Reason]uint64{engine.ReasonUnforwarded: 1},
			run: func(p *packet.Packet) engine.Verdict { p.Out = nil; return engine.Accept() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := virtual(t, handler("first", engine.Handler{Run: tt.run}), handler("later", later))
			b.step(0, udp(t, 7, "x"))
			if diff := cmp.Diff(tt.tun0, b.got(0)); diff != "" {
				t.Errorf("by tun0 (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.tun1, b.got(1)); diff != "" {
				t.Errorf("by tun1 (-want +got):\n%s", diff)
			}
			want := tt.reasons
			if want == nil {
				want = map[engine.Reason]uint64{}
			}
			if diff := cmp.Diff(want, b.Stats().Reasons); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

// A filter sees the packet as it is when its turn comes.
func TestLaterFilterSeesTheChange(t *testing.T) {
	rewrite := handler("rewrite", engine.Handler{Filter: "udp port 8080", Run: func(p *packet.Packet) engine.Verdict {
		u, _ := p.UDP()
		u.SetDport(80)
		return engine.Pass()
	}})
	b := virtual(t, rewrite, handler("80", engine.Handler{Filter: "udp port 80", Run: say(" 80")}),
		handler("8080", engine.Handler{Filter: "udp port 8080", Run: say(" 8080")}))
	b.step(0, udp(t, 8080, "x"), udp(t, 9, "y"))
	if diff := cmp.Diff([]string{"x 80", "y"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
}

func TestDevices(t *testing.T) {
	only1 := handler("only1", engine.Handler{Device: "tun1", Run: say(" tun1")})
	b := newBench(t, func(c *engine.Config) {
		c.Clock = engine.Virtual(time.Unix(0, 0))
		c.Programs = append(c.Programs, engine.ProgramConfig{
			Program: handler("attached to tun0", engine.Handler{Run: say(" tun0")}), Devices: []string{"tun0"}})
	}, only1)
	b.give(udp(t, 7, "a"))
	b.wire[1].Write(udp(t, 7, "b").Bytes())
	b.step(0)
	if diff := cmp.Diff([]string{"a tun0"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b tun1"}, b.got(0)); diff != "" {
		t.Error(diff)
	}
}

// What is sent leaves before the verdict's packets, and the packet in hand may be
// sent as well as passed.
func TestSend(t *testing.T) {
	var s *engine.Scope
	again := engine.ProgramFunc("again", func(sc *engine.Scope) error {
		s = sc
		if err := sc.Send(udp(t, 7, "too early")); !errors.Is(err, engine.ErrDetached) {
			t.Errorf("Send while the program starts: %v, want ErrDetached", err)
		}
		_, err := sc.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			for _, q := range []*packet.Packet{udp(t, 7, "sent"), p} {
				if err := sc.Send(q); err != nil {
					t.Error(err)
				}
			}
			own := udp(t, 7, "own")
			if err := sc.SetOut(own, "tun1"); err != nil {
				t.Error(err)
			}
			if err := sc.Send(own); err != nil {
				t.Error(err)
			}
			if err := sc.Send(own); !errors.Is(err, engine.ErrTaken) {
				t.Errorf("sent twice: %v, want ErrTaken", err)
			}
			p.SetPayload([]byte("passed"))
			return engine.Pass()
		}})
		return err
	})
	b := virtual(t, again)
	b.step(0, udp(t, 7, "x"))
	if diff := cmp.Diff([]string{"x", "own", "passed"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"sent"}, b.got(0)); diff != "" {
		t.Errorf("a packet made from nothing leaves by the device in hand:\n%s", diff)
	}
	if err := s.Send(udp(t, 7, "y")); !errors.Is(err, engine.ErrNoWayOut) {
		t.Errorf("without a packet in hand and with two devices: %v, want ErrNoWayOut", err)
	}
	if err := s.SetOut(udp(t, 7, "y"), "tun9"); err == nil || !strings.Contains(err.Error(), "there is tun0, tun1") {
		t.Errorf("SetOut to a device that is not there: %v", err)
	}
}

func TestTooBig(t *testing.T) {
	b := virtual(t, handler("grow", engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
		grow(p)
		return engine.Pass()
	}}))
	b.step(0, udp(t, 7, "x"))
	if n := b.Stats().Reasons[engine.ReasonTooBig]; n != 1 || len(b.got(1)) != 0 {
		t.Errorf("too_big is %d, want 1, and nothing to leave", n)
	}
	if n := b.Stats().Devices["tun1"].Lost; n != 1 {
		t.Errorf("tun1 has lost %d, want 1", n)
	}
}

// grow makes an IPv4 datagram 1501 bytes long, one too many for a usual device, and
// forbids to fragment it.
func grow(p *packet.Packet) {
	p.SetPayload(make([]byte, 1473)) // and 28 of IP and UDP
	ip, _ := p.IPv4()
	ip.SetDF(true)
}

// Equal errors are shown once, with what they have to say, and then counted; a
// handler that fails 8 times of 64 is switched off.
func TestFailures(t *testing.T) {
	b := virtual(t, handler("bad", engine.Handler{Name: "bad.lua:3", Filter: "udp port 7", OnError: engine.OnErrorPass,
		Run: func(*packet.Packet) engine.Verdict { return engine.Fail(detailed{}) }}))
	for range 12 {
		b.step(0, udp(t, 7, "x"))
	}
	if n := len(b.got(1)); n != 12 {
		t.Errorf("%d packets passed, want all 12: on_error says pass", n)
	}
	h := b.Stats().Handlers[0]
	if h.Failed != 8 || h.Packets != 8 || !h.Off {
		t.Errorf("handler %+v, want switched off after 8 failures", h)
	}
	if n := b.Stats().Errors["bad"]; n != 8 {
		t.Errorf("%d errors counted, want 8", n)
	}
	log := b.log.String()
	if strings.Count(log, "a traceback") != 1 || strings.Count(log, "switched off") != 1 {
		t.Errorf("the log is\n%s", log)
	}
	b.Close()
	if !strings.Contains(b.log.String(), "times=7") {
		t.Errorf("the log does not say how often it came again:\n%s", b.log.String())
	}
}

type detailed struct{}

func (detailed) Error() string  { return "bad thing" }
func (detailed) Detail() string { return "a traceback" }

func TestFewFailuresAreForgiven(t *testing.T) {
	n := 0
	b := virtual(t, handler("seldom", engine.Handler{Run: func(*packet.Packet) engine.Verdict {
		if n++; n%10 == 0 { // 6 or 7 of 64
			return engine.Fail(errors.New("seldom"))
		}
		return engine.Pass()
	}}))
	for range 500 {
		b.step(0, udp(t, 7, "x"))
	}
	if h := b.Stats().Handlers[0]; h.Off || h.Failed != 50 {
		t.Errorf("handler %+v, want on, with 50 failures", h)
	}
}

func TestOnErrorStop(t *testing.T) {
	cause := errors.New("no")
	b := newBench(t, func(c *engine.Config) { c.OnError = engine.OnErrorStop },
		handler("p", engine.Handler{Name: "h", Run: func(*packet.Packet) engine.Verdict { return engine.Fail(cause) }})).run()
	b.give(udp(t, 7, "x"))
	var he *engine.HandlerError
	if err := <-b.done; !errors.As(err, &he) || he.Handler != "h" || !errors.Is(err, cause) {
		t.Errorf("Run returns %v, want a HandlerError of h", err)
	}
}

// A handler may come and go at run time: from the next packet on.
func TestHandleAndCancelAtRunTime(t *testing.T) {
	b := virtual(t, engine.ProgramFunc("p", func(s *engine.Scope) error {
		var once *engine.Handle
		_, err := s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			if once == nil {
				once, _ = s.Handle(engine.Handler{Name: "once", Prio: 1, Run: func(p *packet.Packet) engine.Verdict {
					once.Cancel()
					once.Cancel()
					return say(" once")(p)
				}})
			}
			return engine.Pass()
		}})
		return err
	}))
	b.step(0, udp(t, 7, "1"), udp(t, 7, "2"), udp(t, 7, "3"))
	if diff := cmp.Diff([]string{"1", "2 once", "3"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
}

// A packet that ends in a list is one packet in the pool, not two: later packets
// must not share its buffer.
func TestNoBufferIsSharedAfterAList(t *testing.T) {
	b := virtual(t, handler("lists", engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
		p.Out = nil
		q := p.Clone()
		q.Out = nil
		return engine.Replace(p, q, q, p)
	}}))
	b.step(0, udp(t, 7, "x"), udp(t, 7, "y"))
	b.got(0)
	var answer, question *packet.Packet
	b.Swap(nil, handler("first", engine.Handler{Prio: -1, Run: func(p *packet.Packet) engine.Verdict {
		question, answer = p, p.Reply()
		if &question.Frame()[0] == &answer.Frame()[0] {
			t.Error("question and answer share a buffer")
		}
		return engine.Replace(answer)
	}}))
	b.step(0, udp(t, 7, "z"))
	if diff := cmp.Diff([]string{"z"}, b.got(0)); diff != "" {
		t.Error(diff)
	}
}

// A flood that a program has no room for is not its end.
func TestBusyIsNotBroken(t *testing.T) {
	b := virtual(t, handler("busy", engine.Handler{Run: func(*packet.Packet) engine.Verdict {
		return engine.Fail(fmt.Errorf("no more room: %w", engine.ErrBusy))
	}}))
	for range 500 {
		b.step(0, udp(t, 7, "x"))
	}
	if h := b.Stats().Handlers[0]; h.Off || h.Failed != 500 {
		t.Errorf("handler %+v, want on, with 500 failures", h)
	}
}
