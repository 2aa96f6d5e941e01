package frag_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

// A datagram that is too large for its way leaves in fragments, and is whole again
// on the other side.
func Example() {
	p, err := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"), ID: 7},
		packet.UDP{Sport: 4000, Dport: 7}, packet.Payload(make([]byte, 3000)))
	if err != nil {
		panic(err)
	}
	if frag.Fits(p, 1500) {
		return
	}
	pieces, ok := frag.Cut(nil, p, 1500, nil)
	fmt.Println(ok, len(pieces))

	j := frag.New(frag.Limits{}, nil, nil)
	for _, q := range pieces {
		whole, fate := j.Add(q, time.Now())
		fmt.Println(q.Layout().FragOff, fate)
		if whole != nil {
			fmt.Println(whole)
		}
	}
	// Output:
	// true 3
	// 0 held
	// 1480 held
	// 2960 joined
	// IP 192.0.2.1.4000 > 192.0.2.2.7: UDP, length 3000
}
