package packet

import (
	"bytes"
	"testing"
)

// A device reads its own header and the frame into the room, and the header is gone.
func TestRoomAndFill(t *testing.T) {
	var pl Pool
	p := pl.Get(0)
	frame := []byte{0x45, 1, 2, 3}
	for _, n := range []int{100, 1792, 70000} { // as much as there is, and more
		room := p.Room(n)
		if len(room) != n || p.Len() != 0 {
			t.Fatalf("%d bytes of room, and a packet of %d", len(room), p.Len())
		}
		copy(room[10:], frame)
		if err := p.Fill(10, 14, IP); err != nil || !bytes.Equal(p.Frame(), frame) || p.Link() != IP {
			t.Errorf("room of %d: % x, %v", n, p.Frame(), err)
		}
		p.push(Headroom) // what was before the frame is headroom
		pl.Put(p)
		p = pl.Get(0)
	}
	copy(p.Room(10), []byte{0x55, 0x45})
	for _, bad := range [][2]int{{0, 2}, {1, 1}} {
		if p.Fill(bad[0], bad[1], IP) == nil || p.Len() != 0 {
			t.Errorf("bytes %v became a packet of %d", bad, p.Len())
		}
	}
	if err := p.Fill(1, 2, IP); err != nil || p.Len() != 1 {
		t.Errorf("after a refusal: %v, %d bytes", err, p.Len())
	}
}
