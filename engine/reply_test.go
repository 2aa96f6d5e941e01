package engine_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// The verdict Reply sends what Replace(p.Reply()) sends, and counts as that, whether the
// packet itself is turned round, or an observer or a flow still asks for the question, or
// there is no answer.
func TestReplyVerdict(t *testing.T) {
	questions := func() []*packet.Packet {
		report, err := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.ICMP{Type: 3}, packet.Payload("quoted"))
		if err != nil {
			t.Fatal(err)
		}
		ping, err := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.ICMP{Type: packet.EchoRequest, ID: 1}, packet.Payload("ping"))
		if err != nil {
			t.Fatal(err)
		}
		syn, err := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.TCP{Sport: 1, Dport: 2, Flags: packet.SYN})
		if err != nil {
			t.Fatal(err)
		}
		return []*packet.Packet{udp(t, 7, "one"), report, ping, syn, udp(t, 7, "two")}
	}
	replace := func(p *packet.Packet) engine.Verdict { return engine.Replace(p.Reply()) }
	reply := func(*packet.Packet) engine.Verdict { return engine.Reply() }
	// run is what leaves, what observers see, and what is counted.
	run := func(answer func(*packet.Packet) engine.Verdict, watched, flows bool) (lines []string) {
		b := virtual(t, engine.ProgramFunc("answer", func(s *engine.Scope) error {
			_, err := s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
				if flows {
					s.Flow(p)
				}
				return answer(p)
			}})
			return err
		}))
		if watched {
			defer b.Observe(engine.ObserverFunc(func(e *engine.Event) {
				lines = append(lines, fmt.Sprint(e.Kind, " ", e.Reason, " ", e.Packet))
			}), nil)()
		}
		b.step(0, questions()...)
		buf := make([]byte, 65536)
		for b.wire[0].Pending() > 0 {
			n, err := b.wire[0].Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("% x", buf[:n]))
		}
		s := b.Stats()
		return append(lines, fmt.Sprint(s.Verdicts, s.Reasons, s.Devices["tun0"].Sent))
	}
	for _, watched := range []bool{false, true} {
		for _, flows := range []bool{false, true} {
			want := run(replace, watched, flows)
			if diff := cmp.Diff(want, run(reply, watched, flows)); diff != "" {
				t.Errorf("watched %v, with flows %v:\n%s", watched, flows, diff)
			}
			if len(want) < 5 {
				t.Errorf("only %q", want)
			}
		}
	}
}
