package link_test

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/link"
)

// What a peer that speaks the wire format badly gets: the good packets arrive, the rest
// is counted, and the stream stays in step.
func TestAPeerWithBadManners(t *testing.T) {
	good, after := udp(100, 1), udp(1500, 2)
	for _, tt := range []struct {
		name  string
		sends []byte
		count func(link.Stats) uint64
		n     uint64
	}{
		{"a packet without bytes", []byte{0, 0, 0, 0}, func(s link.Stats) uint64 { return s.Empty }, 2},
		{"a packet above the MTU", frame(udp(1501, 9)), func(s link.Stats) uint64 { return s.TooBig }, 1},
		{"the longest there can be", frame(make([]byte, 65535)), func(s link.Stats) uint64 { return s.TooBig }, 1},
		{"no IP version", frame([]byte{0x50, 1, 2}), func(s link.Stats) uint64 { return s.Malformed }, 1},
		{"an Ethernet frame", frame(ethernet(60, 9)), func(s link.Stats) uint64 { return s.Malformed }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leaks(t)
			w := open(t, link.Config{Kind: link.TCP, Local: anyPort}, nil)
			c := dial(t, w)
			c.Write(slices.Concat(frame(good), tt.sends, frame(after)))
			w.expect(good)
			w.expect(after)
			w.until("2 packets received, and the others counted", func(s link.Stats) bool {
				return s.Received == 2 && tt.count(s) == tt.n
			})
			w.send(good)
			if got := readFrame(t, c); !slices.Equal(got, good) {
				t.Errorf("the peer got % x", head(got))
			}
		})
	}
}

// TCP has no packets: a frame may come byte by byte, and many at once.
func TestFramesComeInPieces(t *testing.T) {
	leaks(t)
	w := open(t, link.Config{Kind: link.TCP, Local: anyPort}, nil)
	c := dial(t, w)
	for _, b := range frame(udp(40, 1)) {
		c.Write([]byte{b})
		time.Sleep(100 * time.Microsecond)
	}
	w.expect(udp(40, 1))
	var many []byte
	for i := range 200 {
		many = append(many, frame(udp(28+i*7, byte(i)))...)
	}
	c.Write(many)
	for i := range 200 {
		w.expect(udp(28+i*7, byte(i)))
	}
}

// A peer that stops within a frame is let go, one that only is silent is not.
func TestAPeerThatStallsWithinAFrame(t *testing.T) {
	leaks(t)
	w := open(t, link.Config{Kind: link.TCP, Local: anyPort, Stall: 100 * time.Millisecond}, nil)
	c := dial(t, w)
	c.Write(frame(udp(100, 1)))
	w.expect(udp(100, 1))
	time.Sleep(300 * time.Millisecond)
	c.Write(frame(udp(100, 2))) // silence is no offence
	w.expect(udp(100, 2))
	c.Write(frame(udp(100, 3))[:50])
	w.until("a peer that stalled", func(s link.Stats) bool { return s.Stalled == 1 && s.Peer == "" })
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("its connection says %v, want EOF", err)
	}
	dial(t, w).Write(frame(udp(100, 4)))
	w.expect(udp(100, 4))
}

// Half a frame, and the peer is gone: the next one begins anew.
func TestAPeerThatLeavesWithinAFrame(t *testing.T) {
	leaks(t)
	w := open(t, link.Config{Kind: link.TCP, Local: anyPort}, nil)
	for i, cut := range []int{1, 2, 50} {
		c := dial(t, w)
		c.Write(append(frame(udp(100, 1)), frame(udp(100, 2))[:cut]...))
		w.expect(udp(100, 1))
		c.Close()
		w.until("a torn frame", func(s link.Stats) bool { return s.Torn == uint64(i+1) })
	}
}

// A peer that does not read: what it cannot take is dropped, the worker never waits, and
// the peer is let go.
func TestAPeerThatDoesNotRead(t *testing.T) {
	leaks(t)
	w := open(t, link.Config{Kind: link.TCP, Local: anyPort, Stall: 300 * time.Millisecond}, nil)
	c := dial(t, w)
	c.(*net.TCPConn).SetReadBuffer(4096)
	c.Write(frame(udp(100, 1)))
	w.expect(udp(100, 1))
	p, err := packet.Parse(udp(1500, 2), packet.IP)
	if err != nil {
		t.Fatal(err)
	}
	total := uint64(0)
	for w.dev.Stats().Stalled == 0 && total < 1e6 {
		sent := make(chan time.Duration)
		w.do <- func() {
			began := time.Now()
			for range 1000 {
				w.q.Write([]*packet.Packet{p}, w.lose)
			}
			sent <- time.Since(began)
		}
		if took := <-sent; took > 2*time.Second {
			t.Errorf("the worker was kept for %v", took)
		}
		total += 1000
		time.Sleep(10 * time.Millisecond)
	}
	w.until("a peer that stalled", func(s link.Stats) bool { return s.Stalled == 1 && s.Peer == "" })
	w.mu.Lock()
	lost := slices.Clone(w.lost)
	w.mu.Unlock()
	if !slices.Contains(lost, engine.ReasonFull) {
		t.Errorf("%d lost, want some as %q", len(lost), engine.ReasonFull)
	}
	if s := w.dev.Stats(); s.Sent+s.Dropped != total || s.Dropped < uint64(len(lost)) {
		t.Errorf("%d sent and %d dropped, want %d in all", s.Sent, s.Dropped, total)
	}
	dial(t, w).Write(frame(udp(100, 4)))
	w.expect(udp(100, 4))
}

// A second peer is refused, at once, until the first is gone.
func TestTCPHasOnePeerAtATime(t *testing.T) {
	leaks(t)
	w := open(t, link.Config{Kind: link.TCP, Local: anyPort}, nil)
	first := dial(t, w)
	first.Write(frame(udp(100, 1)))
	w.expect(udp(100, 1))
	second := dial(t, w)
	second.SetReadDeadline(time.Now().Add(patience))
	if _, err := second.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the second peer reads %v, want EOF", err)
	}
	first.Write(frame(udp(100, 3)))
	w.expect(udp(100, 3))
	first.Close()
	w.until("the first is gone", alone)
	third := dial(t, w)
	third.Write(frame(udp(100, 2)))
	w.expect(udp(100, 2))
	w.send(udp(100, 4))
	readFrame(t, third)
	if s := w.dev.Stats(); s.Refused != 1 || s.Peers != 2 {
		t.Errorf("%+v, want two peers and one refused", s)
	}
}

// A worker that is behind slows a TCP peer down: nothing is lost.
func TestASlowWorkerSlowsThePeer(t *testing.T) {
	leaks(t)
	w := open(t, link.Config{Kind: link.TCP, Local: anyPort}, nil)
	hold := make(chan struct{})
	w.do <- func() { <-hold }
	c := dial(t, w)
	go func() {
		for i := range 5000 {
			c.Write(frame(udp(1500, byte(i))))
		}
	}()
	time.Sleep(50 * time.Millisecond)
	close(hold)
	for i := range 5000 {
		w.expect(udp(1500, byte(i)))
	}
}
