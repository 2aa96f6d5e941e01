package offload_test

import (
	"fmt"
	"net/netip"

	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

// Five segments came in one packet. The third is changed, the others leave together.
func ExampleWalker_Walk() {
	p, _ := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.TCP{Sport: 4000, Dport: 80, Seq: 1, Flags: packet.ACK},
		make(packet.Payload, 4500))
	p.SetGSO(packet.GSO{Type: offload.TCPv4, Size: 1000})

	w := offload.Walker{Pool: &packet.Pool{}, Out: func(q *packet.Packet) {
		tcp, _ := q.TCP()
		fmt.Println("out: seq", tcp.Seq(), "segments", q.Segments())
	}}
	w.Walk(p, func(s *packet.Packet) offload.Fate {
		tcp, _ := s.TCP()
		fmt.Println("in:  seq", tcp.Seq(), "length", len(s.Payload()))
		if tcp.Seq() == 2001 {
			tcp.SetWindow(0)
		}
		return offload.Pass
	})
	// Output:
	// in:  seq 1 length 1000
	// in:  seq 1001 length 1000
	// in:  seq 2001 length 1000
	// out: seq 1 segments 2
	// out: seq 2001 segments 1
	// in:  seq 3001 length 1000
	// in:  seq 4001 length 500
	// out: seq 3001 segments 2
}
