package flow_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// A connection to port 8080 is led to port 80, and its answers back.
func Example() {
	const gate flow.Owner = 1
	client, server := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	table := flow.New(flow.Config{})

	syn, _ := packet.Build(packet.IPv4{Src: client, Dst: server}, packet.TCP{Sport: 4000, Dport: 8080, Flags: packet.SYN})
	f, _ := table.Get(syn, now)
	if err := f.Rewrite(gate, flow.Rewrite{Dport: 80}); err != nil {
		fmt.Println(err)
		return
	}
	table.Settle(f, true, 0, 1) // it came in by 0 and was forwarded by 1
	f.Apply(syn)
	fmt.Println(syn)

	answer, _ := packet.Build(packet.IPv4{Src: server, Dst: client}, packet.TCP{Sport: 80, Dport: 4000, Flags: packet.SYN | packet.ACK, Ack: 1})
	f, ok := table.Find(answer, now)
	f.Apply(answer)
	fmt.Println(ok, f.Dir(), "by", f.Way(), f.Passed(gate))
	fmt.Println(answer)
	// Output:
	// IP 192.0.2.1.4000 > 192.0.2.2.80: Flags [S], seq 0, win 65535, length 0
	// true back by 0 true
	// IP 192.0.2.2.8080 > 192.0.2.1.4000: Flags [SA], seq 0, ack 1, win 65535, length 0
}
