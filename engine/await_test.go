package engine_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// await waits as a says and adds what comes to the story.
func (st *story) await(word string, a engine.Await) *engine.Waiting {
	a.Run = func(p *packet.Packet) {
		if p == nil {
			st.add("%s: time is over", word)
			return
		}
		st.add("%s: %s", word, p.Payload())
	}
	t, err := st.s.Await(a)
	if err != nil {
		st.add("%v", err)
	}
	return t
}

// Each packet goes to who has waited longest for it, else to the handlers.
func TestAwait(t *testing.T) {
	to7 := engine.Await{Filter: "udp dst port 7"}
	for _, tt := range []struct {
		name string
		run  func(st *story)
		want []string // of x to port 7, y to port 8 and z to port 7, a second apart
		left []string // by tun1
	}{
		{"one takes one packet", func(st *story) {
			st.await("a", to7)
		}, []string{"0 a: x"}, []string{"y!", "z!"}},
		{"the longest waiting first", func(st *story) {
			st.await("a", to7)
			st.await("b", engine.Await{})
			st.await("c", to7)
		}, []string{"0 a: x", "1 b: y", "2 c: z"}, nil},
		{"peeks see what is taken, whoever waits longer", func(st *story) {
			st.await("a", to7)
			st.await("b", engine.Await{Peek: true})
			st.await("c", engine.Await{Filter: "udp dst port 8", Peek: true})
		}, []string{"0 b: x", "0 a: x", "1 c: y"}, []string{"y!", "z!"}},
		{"what stays takes all", func(st *story) {
			st.await("a", engine.Await{Filter: "udp dst port 7", Stay: true})
		}, []string{"0 a: x", "2 a: z"}, []string{"y!"}},
		{"a peek that stays sees all", func(st *story) {
			st.await("a", engine.Await{Stay: true, Peek: true})
		}, []string{"0 a: x", "1 a: y", "2 a: z"}, []string{"x!", "y!", "z!"}},
		{"a function is asked about what the filter matches", func(st *story) {
			to7 := to7
			to7.Ask = func(p *packet.Packet) bool { st.add("asked: %s", p.Payload()); return string(p.Payload()) == "z" }
			st.await("a", to7)
		}, []string{"0 asked: x", "2 asked: z", "2 a: z"}, []string{"x!", "y!"}},
		{"one who waits since the packet came does not see it", func(st *story) {
			st.s.Await(engine.Await{Peek: true, Run: func(p *packet.Packet) {
				st.add("peek: %s", p.Payload())
				st.await("a", engine.Await{})
			}})
		}, []string{"0 peek: x", "1 a: y"}, []string{"x!", "z!"}},
		{"a cancelled one is not told", func(st *story) {
			w := st.await("a", to7)
			st.await("b", to7)
			st.s.After(time.Second, func() { w.Cancel(); w.Cancel() })
			w.Cancel()
		}, []string{"0 b: x"}, []string{"y!", "z!"}},
		{"who is asked may end another's wait", func(st *story) {
			var b *engine.Waiting
			st.await("a", engine.Await{Ask: func(*packet.Packet) bool { b.Cancel(); return false }})
			b = st.await("b", to7)
			st.await("c", to7)
		}, []string{"0 c: x"}, []string{"y!", "z!"}},
		{"time is over", func(st *story) {
			st.await("a", engine.Await{Filter: "tcp", Timeout: 1500 * time.Millisecond})
			st.await("b", engine.Await{Filter: "udp dst port 7", Timeout: time.Hour})
		}, []string{"0 b: x", "1.5 a: time is over"}, []string{"y!", "z!"}},
		{"packets of an instant come before the end of it", func(st *story) {
			st.await("b", engine.Await{Filter: "udp dst port 7", Timeout: -1})
			st.await("c", engine.Await{Filter: "udp dst port 7", Timeout: -1})
		}, []string{"0 b: x", "0 c: time is over"}, []string{"y!", "z!"}},
		{"a filter that does not compile", func(st *story) {
			st.await("a", engine.Await{Filter: "upd"})
			_, err := st.s.Await(engine.Await{})
			st.add("%v", err)
		}, []string{`0 filter: column 1 of "upd": unexpected "upd", expected a condition; did you mean "udp"?`,
			"0 the function is nil: there is nothing to call"}, []string{"x!", "y!", "z!"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program, st := tell(func(st *story) {
				st.s.Handle(engine.Handler{Run: say("!")})
				tt.run(st)
			})
			b := virtual(t, program)
			b.step(time.Second, udp(t, 7, "x"))
			b.step(time.Second, udp(t, 8, "y"))
			b.step(time.Second, udp(t, 7, "z"))
			if diff := cmp.Diff(tt.want, st.lines); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.left, b.got(1)); diff != "" {
				t.Error(diff)
			}
			taken := uint64(3 - len(tt.left))
			if got := b.Stats().Verdicts["taken"]; got != taken {
				t.Errorf("%d counted as taken, want %d", got, taken)
			}
		})
	}
}

// Those who wait stand before their program's handlers of prio 0.
func TestAwaitInTheChain(t *testing.T) {
	program := func(name, wants string) engine.Program {
		return engine.ProgramFunc(name, func(s *engine.Scope) error {
			for _, prio := range []int{-1, 0} {
				s.Handle(engine.Handler{Prio: prio, Run: say(fmt.Sprintf(" %s%d", name, prio))})
			}
			_, err := s.Await(engine.Await{
				Ask:  func(p *packet.Packet) bool { return strings.HasPrefix(string(p.Payload()), wants) },
				Stay: true,
				Run: func(p *packet.Packet) {
					p.SetPayload(append(bytes.Clone(p.Payload()), " taken by "+name...))
					s.Send(p)
				},
			})
			return err
		})
	}
	b := virtual(t, program("a", "x"), program("b", "y"))
	b.step(0, udp(t, 7, "x"), udp(t, 7, "y"), udp(t, 7, "z"))
	want := []string{"x a-1 b-1 taken by a", "y a-1 b-1 a0 taken by b", "z a-1 b-1 a0 b0"}
	if diff := cmp.Diff(want, b.got(1)); diff != "" {
		t.Error(diff)
	}
}

// What waits ends with its program, and nobody is told; the next one's waits count
// from the exchange.
func TestAwaitAndSwap(t *testing.T) {
	var story []string
	version := func(n int) engine.Program {
		return engine.ProgramFunc(fmt.Sprint("v", n), func(s *engine.Scope) error {
			var w *engine.Waiting
			note := func(p *packet.Packet) {
				story = append(story, fmt.Sprintf("v%d %v %v", n, p != nil, s.Now().Unix()))
				w.Cancel()
			}
			var err error
			w, err = s.Await(engine.Await{Timeout: time.Minute, Run: note})
			s.OnEnd(func() { w.Cancel() })
			return err
		})
	}
	v1, v2 := version(1), version(2)
	b := virtual(t, v1)
	b.step(10 * time.Second)
	if err := b.Swap(v1, v2); err != nil {
		t.Fatal(err)
	}
	b.step(2 * time.Minute)
	if diff := cmp.Diff([]string{"v2 false 1070"}, story); diff != "" {
		t.Error(diff)
	}
}

// A wait with a timeout holds a virtual run open, one without does not.
func TestAwaitAtTheEndOfInput(t *testing.T) {
	got, err := play(t, func(st *story) {
		st.await("for ever", engine.Await{Filter: "tcp"})
		st.await("10 s", engine.Await{Filter: "tcp", Timeout: 10 * time.Second})
		st.await("2 minutes", engine.Await{Filter: "tcp", Timeout: 2 * time.Minute})
	}, 1)
	if diff := cmp.Diff([]string{"10 10 s: time is over"}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}

// A taken packet is the program's alone: it may keep it, and what it sends of it
// leaves by the device that the packet came in by, if it is made from nothing.
func TestATakenPacketIsTheProgramsOwn(t *testing.T) {
	var kept []*packet.Packet
	b := virtual(t, engine.ProgramFunc("p", func(s *engine.Scope) error {
		_, err := s.Await(engine.Await{Filter: "udp dst port 7", Stay: true, Run: func(p *packet.Packet) {
			kept = append(kept, p)
			if err := s.Send(udp(t, 9, "home")); err != nil {
				t.Error(err)
			}
			if err := s.Send(p.Clone()); err != nil {
				t.Error(err)
			}
		}})
		return err
	}))
	for i := range 3 {
		b.step(0, udp(t, 7, fmt.Sprint(i)), udp(t, 8, "passes"))
	}
	for i, p := range kept {
		if got := string(p.Payload()); got != fmt.Sprint(i) {
			t.Errorf("packet %d has become %q", i, got)
		}
	}
	if diff := cmp.Diff([]string{"home", "home", "home"}, b.got(0)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"0", "passes", "1", "passes", "2", "passes"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
}

// An observer is told who took a packet, before anything is done with it.
func TestAwaitIsObserved(t *testing.T) {
	var seen []string
	config := standing()
	config.Observer = engine.ObserverFunc(func(e *engine.Event) {
		seen = append(seen, fmt.Sprintf("%s %s/%s %s", e.Kind, e.Program, e.Handler, e.Packet.Payload()))
	})
	config.Programs = []engine.ProgramConfig{{Program: engine.ProgramFunc("p", func(s *engine.Scope) error {
		_, err := s.Await(engine.Await{Name: "line 3", Run: func(p *packet.Packet) {
			p.SetPayload([]byte("y"))
			p.Out = p.In
			s.Send(p)
		}})
		return err
	})}}
	dev := newMemory("tun0")
	eng := made(t, config, "", dev)
	dev.give(text(t, "x"))
	step(t, eng)
	if diff := cmp.Diff([]string{"received / x", "taken p/line 3 x", "sent / y"}, seen); diff != "" {
		t.Error(diff)
	}
}

// waiting is a program in which n wait for a UDP port each, and that passes.
func waiting(n int) engine.Program {
	return engine.ProgramFunc("waiting", func(s *engine.Scope) error {
		for i := range n {
			f := filter.Field(filter.UDP, 2, 2, 0xffff, uint32(1000+i))
			if _, err := s.Await(engine.Await{Match: f, Run: func(*packet.Packet) {}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// server is a program that waits for one packet after another, while n others wait.
func server(n int) engine.Program {
	return engine.ProgramFunc("server", func(s *engine.Scope) error {
		f := filter.Field(filter.UDP, 2, 2, 0xffff, 7)
		var again func(*packet.Packet)
		again = func(p *packet.Packet) {
			if p != nil {
				s.Send(p)
			}
			s.Await(engine.Await{Match: f, Timeout: time.Minute, Run: again})
		}
		if err := waiting(n).Start(s); err != nil {
			return err
		}
		again(nil)
		return nil
	})
}

// What a packet costs that nobody waits for, and one that somebody does, while many
// wait for others.
func BenchmarkAwait(b *testing.B) {
	for _, w := range []struct {
		name    string
		program engine.Program
	}{
		{"passing/waiting=1", waiting(1)}, {"passing/waiting=1000", waiting(1000)},
		{"taken/waiting=1", server(0)}, {"taken/waiting=1000", server(999)},
	} {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			through(b, b.N, wayConfig([]engine.Program{w.program}, false))
		})
	}
}

// A million timers are set, and ended early, in O(log n) each.
func BenchmarkTimers(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("timers=%d", n), func(b *testing.B) {
			program := engine.ProgramFunc("p", func(s *engine.Scope) error {
				s.Started(func() {
					all := make([]*engine.Timer, n)
					for i := range all {
						all[i], _ = s.After(time.Duration(1+i*7919%n)*time.Second, func() {})
					}
					for i := 0; b.Loop(); i++ {
						k := i * 104729 % n
						all[k].Cancel()
						all[k], _ = s.After(time.Duration(1+k*7919%n)*time.Second, func() {})
					}
				})
				return nil
			})
			if err := virtual(b, program).Advance(0); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// Who waits for a flow sees its packets in both directions, and takes turns with
// those that wait for anything, the longest waiting first.
func TestAwaitAFlow(t *testing.T) {
	var got []string
	note := func(word string) func(*packet.Packet) {
		return func(p *packet.Packet) { got = append(got, word+" "+string(p.Payload())) }
	}
	var f engine.Flow
	b := virtual(t, engine.ProgramFunc("p", func(s *engine.Scope) error {
		_, err := s.Await(engine.Await{Filter: "udp dst port 7", Run: func(p *packet.Packet) {
			note("first")(p)
			f, _ = s.Flow(p)
			s.Await(engine.Await{Flow: f, Peek: true, Stay: true, Run: note("peek")})
			s.Await(engine.Await{Flow: f, Run: note("a")})
			s.Await(engine.Await{Run: note("any")})
			s.Await(engine.Await{Flow: f, Ask: func(p *packet.Packet) bool { return string(p.Payload()) != "4" }, Run: note("b")})
			w, _ := s.Await(engine.Await{Flow: f, Run: note("cancelled")})
			w.Cancel()
		}})
		return err
	}))
	answer := func(s string) *packet.Packet {
		p := udp(t, 7, s).Reply()
		p.SetPayload([]byte(s))
		return p
	}
	b.step(0, udp(t, 7, "1"))
	b.step(0, udp(t, 9, "stranger")) // for any: it has waited longest for this one
	b.step(0, answer("2"), udp(t, 9, "stranger"), answer("4"), udp(t, 7, "5"), answer("6"))
	want := []string{"first 1", "any stranger", "peek 2", "a 2", "peek 4", "peek 5", "b 5", "peek 6"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"stranger", "4", "6"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
	if !f.Same(f) || f.Same(engine.Flow{}) {
		t.Error("a flow is itself and no other")
	}
}

// A flow that the program has bypassed is not for its tasks.
func TestBypassedFlowsAreNotWaitedFor(t *testing.T) {
	b := virtual(t, engine.ProgramFunc("p", func(s *engine.Scope) error {
		s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			f, _ := s.Flow(p)
			f.Bypass(flow.Pass)
			s.Await(engine.Await{Run: func(p *packet.Packet) { t.Errorf("taken: %v", p) }})
			return engine.Pass()
		}})
		return nil
	}))
	b.step(0, udp(t, 7, "1"))
	b.step(0, udp(t, 7, "2"))
	if diff := cmp.Diff([]string{"1", "2"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
}
