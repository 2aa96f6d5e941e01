package impair_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/packet"
)

// A link that loses every fifth packet and takes its time for the others. Who runs
// packets does what the decision says.
func Example() {
	rule, err := impair.New(impair.Options{Filter: "udp", Loss: 0.2, Delay: 40 * time.Millisecond, Rate: 1_000_000})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.UDP{Sport: 4000, Dport: 7}, packet.Payload(make([]byte, 972)))
	if err != nil {
		fmt.Println(err)
		return
	}
	link, chance := rule.Link(), rand.New(rand.NewPCG(1, 5))
	now := time.Unix(0, 0)
	for range 5 {
		if !rule.Wants(p, 0) {
			continue
		}
		d := link.Decide(p, now, chance)
		switch d.Drop {
		case "":
			d.Apply(p)
			fmt.Println("goes on after", d.Delay)
		default:
			fmt.Println("dropped:", d.Drop)
		}
	}
	_, err = impair.New(impair.Options{Loss: 20})
	fmt.Println(err)
	// Output:
	// dropped: impair_loss
	// goes on after 56ms
	// goes on after 64ms
	// goes on after 72ms
	// goes on after 80ms
	// impair: loss: 20 is out of range, 0 to 1: did you mean 0.2 (20%)?
}

// A link by name, with one thing changed.
func ExampleProfile() {
	o, ok := impair.Profile("satellite")
	if !ok {
		fmt.Println("there is", impair.Profiles())
		return
	}
	o.Loss = 0.1
	fmt.Println(o.Delay, o.Loss)
	// Output: 279ms 0.1
}
