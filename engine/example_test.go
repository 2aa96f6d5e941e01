package engine_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

func datagram(payload string) []byte {
	p, err := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.UDP{Sport: 4000, Dport: 7}, packet.Payload(payload))
	if err != nil {
		log.Fatal(err)
	}
	return p.Bytes()
}

// A device in memory, and a handler in Go that answers what it gets.
func ExampleProgramFunc() {
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0", Kind: tundev.TUN})
	eng, err := engine.New(engine.Config{
		Devices: []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("echo", func(s *engine.Scope) error {
			_, err := s.Handle(engine.Handler{Filter: "udp dst port 7", Run: func(p *packet.Packet) engine.Verdict {
				return engine.Replace(p.Reply())
			}})
			return err
		})}},
	})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- eng.Run(context.Background()) }()

	if _, err := wire.Write(datagram("hello")); err != nil {
		log.Fatal(err)
	}
	b := make([]byte, 1500)
	n, err := wire.Read(b)
	if err != nil {
		log.Fatal(err)
	}
	answer, err := packet.Parse(b[:n], packet.IP)
	if err != nil {
		log.Fatal(err)
	}
	ip, _ := answer.IPv4()
	fmt.Printf("%s from %v\n", answer.Payload(), ip.Src())
	eng.Close()
	fmt.Println(<-done)
	// Output:
	// hello from 192.0.2.2
	// <nil>
}

// A connection to port 8080 is led to port 80: the first packet asks, the rest go
// without.
func ExampleScope_Flow() {
	inside, host := tundev.Pipe(tundev.Config{Name: "tun0", Kind: tundev.TUN})
	outside, far := tundev.Pipe(tundev.Config{Name: "tun1", Kind: tundev.TUN})
	eng, err := engine.New(engine.Config{
		Clock:   engine.Virtual(time.Unix(0, 0)),
		Devices: []engine.DeviceConfig{{Device: inside, Forward: "tun1"}, {Device: outside, Forward: "tun0"}},
		Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("port", func(s *engine.Scope) error {
			_, err := s.Handle(engine.Handler{Filter: "udp dst port 7", Run: func(p *packet.Packet) engine.Verdict {
				f, _ := s.Flow(p)
				fmt.Println("asked about a packet that goes", f.Dir())
				return engine.Fail(f.Rewrite(flow.Rewrite{Dport: 80})) // nil passes
			}})
			return err
		})}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	for range 2 {
		if _, err := host.Write(datagram("hello")); err != nil {
			log.Fatal(err)
		}
	}
	if err := eng.Advance(0); err != nil {
		log.Fatal(err)
	}
	b := make([]byte, 1500)
	for far.Pending() > 0 {
		n, err := far.Read(b)
		if err != nil {
			log.Fatal(err)
		}
		p, err := packet.Parse(b[:n], packet.IP)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p)
	}
	fmt.Println(eng.Stats().Flows.Bypassed, "bypassed")
	// Output:
	// asked about a packet that goes forward
	// IP 192.0.2.1.4000 > 192.0.2.2.80: UDP, length 5
	// IP 192.0.2.1.4000 > 192.0.2.2.80: UDP, length 5
	// 1 bypassed
}

// An hour goes by in no time.
func ExampleEngine_Advance() {
	eng, err := engine.New(engine.Config{
		Clock: engine.Virtual(time.Unix(0, 0).UTC()),
		Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("clock", func(s *engine.Scope) error {
			_, err := s.Every(25*time.Minute, func() { fmt.Println(s.Now().Format(time.TimeOnly)) })
			return err
		})}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	if err := eng.Advance(time.Hour); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 00:25:00
	// 00:50:00
}

// An observer sees what becomes of a packet.
func ExampleObserver() {
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0", Kind: tundev.TUN})
	eng, err := engine.New(engine.Config{
		Clock:   engine.Virtual(time.Unix(0, 0)),
		Devices: []engine.DeviceConfig{{Device: dev}},
		Observer: engine.ObserverFunc(func(e *engine.Event) {
			fmt.Printf("%s: %v %q\n", e.Device, e.Kind, e.Reason)
		}),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	if _, err := wire.Write(datagram("hello")); err != nil {
		log.Fatal(err)
	}
	if err := eng.Advance(0); err != nil {
		log.Fatal(err)
	}
	// Output:
	// tun0: received ""
	// tun0: pass "unforwarded"
}

// A program waits for a packet, for a second, and then for another.
func ExampleScope_Await() {
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0", Kind: tundev.TUN})
	eng, err := engine.New(engine.Config{
		Clock:   engine.Virtual(time.Unix(0, 0)),
		Devices: []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("asks", func(s *engine.Scope) error {
			answer := func(p *packet.Packet) {
				if p == nil {
					fmt.Println("no answer")
					return
				}
				fmt.Printf("%s at %v\n", p.Payload(), s.Now().UTC().Format("05.0"))
				s.Await(engine.Await{Timeout: time.Second, Run: func(p *packet.Packet) { fmt.Println("another:", p != nil) }})
			}
			_, err := s.Await(engine.Await{Filter: "udp dst port 7", Timeout: time.Second, Run: answer})
			return err
		})}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	eng.Advance(500 * time.Millisecond)
	wire.Write(datagram("here I am"))
	eng.Advance(5 * time.Second)
	// Output:
	// here I am at 00.5
	// another: false
}
