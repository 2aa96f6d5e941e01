package link_test

import (
	"crypto/tls"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/tunscript/tunscript/tundev/link"
)

// drip writes b a byte at a time, with pauses far shorter than stall, until nobody takes
// it.
func drip(c net.Conn, b []byte, stall time.Duration) {
	for i := range b {
		if _, err := c.Write(b[i : i+1]); err != nil {
			return
		}
		time.Sleep(stall / 20)
	}
}

// A peer that goes on, but so slowly that a frame does not come to its end, has stalled,
// too: within its length, a packet, or one that is skipped for its length. Frames that
// come to theirs may be as slow as they like all together.
func TestAPeerThatDrips(t *testing.T) {
	const stall = 500 * time.Millisecond
	slow := udp(100, 2) // takes five times as long as it may
	for _, tt := range []struct {
		name   string
		before []byte // is in order
		drips  []byte
	}{
		{"the first packet", nil, frame(slow)},
		{"behind a packet", frame(udp(100, 1)), frame(slow)},
		{"in one segment with a packet", slices.Concat(frame(udp(100, 1)), frame(slow)[:1]), frame(slow)[1:]},
		{"above the MTU", nil, frame(make([]byte, 2000))},
		{"behind one above the MTU", frame(make([]byte, 2000)), frame(slow)},
		{"behind one without bytes", []byte{0, 0}, frame(slow)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, link.Config{Kind: link.TCP, Local: anyPort, Stall: stall}, nil)
			c := dial(t, w)
			c.Write(tt.before)
			began := time.Now()
			drip(c, tt.drips, stall)
			w.until("a peer that stalled", func(s link.Stats) bool { return s.Stalled == 1 && s.Torn == 0 && s.Peer == "" })
			if took := time.Since(began); took < stall {
				t.Errorf("it was let go after %v, before %v", took, stall)
			}
		})
	}
	t.Run("small frames", func(t *testing.T) {
		t.Parallel()
		const stall = 4 * stall
		w := open(t, link.Config{Kind: link.TCP, Local: anyPort, Stall: stall}, nil)
		c := dial(t, w)
		for i := range 4 { // each begins in the segment that ends the one before
			b := slices.Concat(frame(udp(28, byte(i))), frame(udp(28, byte(i+1)))[:1])
			if i > 0 {
				b = b[1:]
			}
			c.Write(b)
			w.expect(udp(28, byte(i)))
			time.Sleep(stall / 3)
		}
		if s := w.dev.Stats(); s.Stalled > 0 || s.Peer == "" {
			t.Errorf("%+v, want a peer that may go on", s)
		}
	})
}

// A link that connects comes back to a peer that has dripped.
func TestALinkComesBackToAPeerThatDrips(t *testing.T) {
	leaks(t)
	ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(anyPort))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ln.SetDeadline(time.Now().Add(3 * patience))
	const stall = 200 * time.Millisecond
	w := open(t, link.Config{Kind: link.TCP, Remote: ln.Addr().String(), Stall: stall}, nil)
	for i, speaks := range []func(net.Conn){
		func(c net.Conn) { drip(c, frame(udp(100, 1)), stall) },
		func(c net.Conn) { c.Write(frame(udp(100, 2))) },
	} {
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		speaks(c)
		w.until("another peer", func(s link.Stats) bool { return s.Peers == uint64(i+1) })
	}
	w.expect(udp(100, 2))
	if s := w.dev.Stats(); s.Stalled != 1 || s.Peers != 2 {
		t.Errorf("%+v, want one peer that stalled, of two", s)
	}
}

// dripping is a connection on which everything that is written drips, once it is told to.
type dripping struct {
	net.Conn
	stall time.Duration // 0: nothing drips
}

func (d *dripping) Write(b []byte) (int, error) {
	if d.stall == 0 {
		return d.Conn.Write(b)
	}
	drip(d.Conn, b, d.stall)
	return len(b), nil
}

// Within TLS, too, where a link sees nothing of a record before it is there; and who is
// only silent may be so.
func TestATLSPeerThatDrips(t *testing.T) {
	leaks(t)
	const stall = 500 * time.Millisecond
	ca := newAuthority(t)
	w := open(t, ca.with(link.Config{Kind: link.TCP, Local: anyPort, Stall: stall}, "link"), nil)
	pair, err := tls.LoadX509KeyPair(ca.sign("peer", nil))
	if err != nil {
		t.Fatal(err)
	}
	slow := &dripping{Conn: dial(t, w)}
	peer := tls.Client(slow, &tls.Config{Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true, NextProtos: []string{"tunscript"}})
	for i, b := range [][]byte{frame(udp(100, 1)), frame(udp(1500, 2))} {
		if _, err := peer.Write(b); err != nil {
			t.Fatal(err)
		}
		w.until("a packet", func(s link.Stats) bool { return s.Received == uint64(i+1) })
		time.Sleep(2 * stall)
	}
	if s := w.dev.Stats(); s.Stalled > 0 || s.Peer == "" {
		t.Fatalf("%+v, want a peer that may be silent", s)
	}
	slow.stall = stall
	peer.Write(frame(udp(100, 3)))
	w.until("a peer that stalled", func(s link.Stats) bool { return s.Stalled == 1 && s.Peer == "" })
}

// What a TLS server sends of its own accord, such as tickets, is no frame that has begun.
func TestATLSServerThatIsSilent(t *testing.T) {
	leaks(t)
	const stall = 200 * time.Millisecond
	ca := newAuthority(t)
	a := open(t, ca.with(link.Config{Kind: link.TCP, Local: anyPort, Stall: stall}, "a"), nil)
	b := open(t, ca.with(link.Config{Kind: link.TCP, Remote: a.dev.Addr(), Stall: stall}, "b"), nil)
	b.until("the peer", connected)
	time.Sleep(3 * stall)
	b.send(udp(100, 1))
	a.expect(udp(100, 1))
	if s := b.dev.Stats(); s.Peers != 1 || s.Stalled > 0 {
		t.Errorf("%+v, want one peer that may be silent", s)
	}
}
