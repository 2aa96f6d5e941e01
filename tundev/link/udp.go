package link

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// silence is how long the peer of a link without Remote must have been silent for another
// to take its place.
const silence = 10 * time.Second

// datagrams is the socket of a UDP link. It is not connected, so that an ICMP error about
// a peer that is not yet there does no harm.
type datagrams struct {
	d *Device
	c *net.UDPConn
}

func newDatagrams(d *Device) (*datagrams, error) {
	var local *net.UDPAddr // any, of both families
	if d.conf.Local.IsValid() {
		local = net.UDPAddrFromAddrPort(d.conf.Local)
	}
	c, err := net.ListenUDP("udp", local)
	if err != nil {
		return nil, listenError(d.conf, err)
	}
	wantJoined(c)
	return &datagrams{d: d, c: c}, nil
}

func (t *datagrams) addr() string { return t.c.LocalAddr().String() }
func (t *datagrams) interrupt()   { t.c.SetReadDeadline(past) }
func (t *datagrams) settle()      {}
func (t *datagrams) close() error { return t.c.Close() }

func (t *datagrams) resume(context.Context) { t.c.SetReadDeadline(time.Time{}) }

// next finds out the address of Remote; without it, the peer is who sends.
func (t *datagrams) next(ctx context.Context) (session, error) {
	s := &flight{datagrams: t}
	if t.d.conf.waits() {
		return s, nil
	}
	host, port, _ := net.SplitHostPort(t.d.conf.Remote)
	network := "ip"
	if l := t.d.conf.Local.Addr(); l.IsValid() && l.Unmap().Is4() {
		network = "ip4"
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	if err != nil {
		return nil, err
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return nil, err
	}
	s.fixed = true
	s.to = netip.AddrPortFrom(addrs[0].Unmap(), uint16(n))
	return s, nil
}

// flight is the peer of a UDP link.
type flight struct {
	*datagrams
	fixed bool // by Remote

	mu    sync.Mutex
	to    netip.AddrPort
	heard time.Time
}

func (s *flight) peer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.to.IsValid() {
		return ""
	}
	return s.to.String()
}

// close ends read; the socket stays for the next time.
func (s *flight) close() { s.interrupt() }

func (s *flight) read(in, out *ring) error {
	n := &s.d.n
	buf, oob := make([]byte, 1<<16), make([]byte, 64)
	for {
		size, more, _, from, err := s.c.ReadMsgUDPAddrPort(buf, oob)
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
			return nil
		case err != nil: // memory, an ICMP error: the socket lives
			n.failed.Add(1)
			time.Sleep(time.Millisecond)
		case size > s.d.conf.maxLen() && joined(oob[:more]) == 0:
			n.tooBig.Add(1)
		case !s.from(from, out):
			n.stranger.Add(1)
		case size == 0: // it says that it is there
		default:
			s.take(in, buf[:size], joined(oob[:more]))
		}
	}
}

// take puts b into the ring: a datagram, or, if size is not 0, several of that size, but
// the last, which may be shorter.
func (s *flight) take(in *ring, b []byte, size int) {
	d, n := s.d, &s.d.n
	if size == 0 {
		size = len(b)
	}
	for len(b) > 0 {
		f := b[:min(size, len(b))]
		b = b[len(f):]
		switch {
		case len(f) > d.conf.maxLen():
			n.tooBig.Add(1)
		case malformed(f, d.info.Link):
			n.malformed.Add(1)
		default:
			switch in.put(f, false) {
			case kept:
				n.received.Add(1)
			case full:
				n.overrun.Add(1)
			}
		}
	}
}

// from says whether a sender is the peer, or becomes it.
func (s *flight) from(a netip.AddrPort, out *ring) bool {
	if s.fixed {
		return a == s.to
	}
	now := time.Now()
	s.mu.Lock()
	known := s.to == a
	if !known && s.to.IsValid() && now.Sub(s.heard) < silence {
		s.mu.Unlock()
		return false
	}
	s.to, s.heard = a, now
	s.mu.Unlock()
	if !known {
		s.d.greet(a.String())
		out.start(true)
	}
	return true
}

// alive is how often the end with Remote says that it is there, at the latest: half of
// silence, and less than the 30 s after which many a NAT forgets who sends.
const alive = silence / 2

// announce sends an empty datagram now, soon again, and then every five seconds, so that
// an end that waits knows where to send to before there is a packet. It returns what
// ends it.
func (s *flight) announce() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for pause := firstPause; ; pause = min(2*pause, alive) {
			s.c.WriteToUDPAddrPort(nil, s.to) // lost: the next one may arrive
			if !sleep(ctx, pause) {
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (s *flight) write(out *ring) error {
	if s.fixed {
		defer s.announce()()
	}
	v := volley{n: &s.d.n, c: s.c}
	var b []byte
	for {
		if b = out.take(b, true); b == nil {
			return nil
		}
		s.mu.Lock()
		to := s.to
		s.mu.Unlock()
		for rest := b; len(rest) > 0; {
			var err error
			if rest, err = v.send(rest, to); errors.Is(err, net.ErrClosed) {
				return nil
			}
		}
	}
}
