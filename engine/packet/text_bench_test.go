package packet_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// What scripts are charged for texts (luabind) follows from these.
func BenchmarkTexts(b *testing.B) {
	for name, n := range map[string]int{"small": 64, "large": 60_000} {
		p := build(b, ip4(packet.TCP{Sport: 1, Dport: 2, Options: linuxSYN}, packet.Payload(make([]byte, n)))...)
		for text, f := range map[string]func() string{"show": p.Show, "hex": func() string { return p.Hex(true) }, "code": p.Code, "line": p.String} {
			b.Run(text+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
	}
}
