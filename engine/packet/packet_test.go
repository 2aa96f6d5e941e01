package packet_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// What the engine notes about the bytes holds for a copy of them, not for an
// answer; what it notes about the packet in hand holds for that alone.
func TestTag(t *testing.T) {
	p := build(t, ip4(packet.UDP{Sport: 1, Dport: 2})...)
	p.SetTag(7<<32 | 5)
	if q := p.Clone(); q.Tag() != 7<<32 {
		t.Errorf("a copy's tag is %#x, want the upper half alone", q.Tag())
	}
	if q := p.Reply(); q.Tag() != 0 {
		t.Errorf("an answer's tag is %#x, want 0", q.Tag())
	}
}
