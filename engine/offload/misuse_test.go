package offload_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/internal/misuse"
	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

// What is no super-packet is an error and stays as it is; a walk that shows its segments to
// nobody, and has no way out, ends.
func TestMisuse(t *testing.T) {
	small, err := packet.Parse(make([]byte, 100), packet.Ethernet)
	if err != nil {
		t.Fatal(err)
	}
	large := super(t, 100, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Dport: 7}, packet.Payload(make([]byte, 1000)))
	call := misuse.Caller{With: []any{small, large}}
	call.Func(t, "Check", offload.Check)
	for name, fresh := range map[string]func() any{
		"a zero Walker": func() any { return new(offload.Walker) },
		"a Walker":      func() any { return &offload.Walker{Pool: new(packet.Pool), Out: func(*packet.Packet) {}} },
		"a zero Joiner": func() any { return new(offload.Joiner) },
		"a Joiner":      func() any { return &offload.Joiner{TCP: true, UDP: true} },
	} {
		call.Methods(t, name, fresh)
	}
	for _, p := range []*packet.Packet{nil, {}, small} {
		if err := offload.Check(p); err == nil {
			t.Errorf("%v: no error", p)
		}
	}
}
