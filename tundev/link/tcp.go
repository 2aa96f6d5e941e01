package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// handshake is how long a peer may take to connect and to prove who it is.
const handshake = 10 * time.Second

// keepAlive finds out within 30 s that a peer is gone that did not say so.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// dialer finds the peer of a TCP link that connects.
type dialer struct {
	d      *Device
	secure *tls.Config // nil: plain
}

func newStreams(d *Device) (transport, error) {
	t, err := secure(d.conf)
	if err != nil {
		return nil, err
	}
	if d.conf.waits() {
		return newDoor(d, t)
	}
	return &dialer{d, t}, nil
}

func listenError(c Config, err error) error {
	return &Error{Op: "listen on " + c.Local.String(), Device: c.Name, Kind: ErrListen, Err: err,
		Fix: "choose an address of this host and a port that is free (ss -lnp shows who has it)"}
}

func (t *dialer) addr() string           { return "" }
func (t *dialer) resume(context.Context) {}
func (t *dialer) interrupt()             {} // the context does
func (t *dialer) settle()                {}
func (t *dialer) close() error           { return nil }

// next connects.
func (t *dialer) next(ctx context.Context) (session, error) {
	d := net.Dialer{Timeout: handshake, KeepAliveConfig: keepAlive}
	if l := t.d.conf.Local; l.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(l)
	}
	c, err := d.DialContext(ctx, "tcp", t.d.conf.Remote)
	if err != nil {
		return nil, err
	}
	s := newStream(t.d, c.(*net.TCPConn))
	if t.secure == nil {
		return s, nil
	}
	if err := s.shake(ctx, tls.Client(s.records(), t.secure)); err != nil {
		s.close()
		t.d.n.refused.Add(1)
		return nil, err
	}
	return s, nil
}

// stream is one peer of a TCP link.
type stream struct {
	d   *Device
	raw *net.TCPConn
	c   net.Conn // raw, or TLS over it

	hurry haste
	left  func() // called when it is closed, once; nil: nobody wants to know
}

func newStream(d *Device, c *net.TCPConn) *stream {
	return &stream{d: d, raw: c, c: c, hurry: haste{c: c, stall: d.conf.Stall}}
}

// records is what TLS stands on.
func (s *stream) records() net.Conn { return &records{TCPConn: s.raw, hurry: &s.hurry} }

func (s *stream) peer() string { return s.raw.RemoteAddr().String() }

// close closes the connection below TLS, whose own Close may wait for a peer that does not
// read. The peer sees the end of the stream, which is all that a link wants to say.
func (s *stream) close() {
	s.raw.Close()
	if s.left != nil {
		s.left()
	}
}

// shake does the handshake of c.
func (s *stream) shake(ctx context.Context, c *tls.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, handshake)
	defer cancel()
	if err := c.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS with %s: %w", s.peer(), err)
	}
	s.c = c
	return nil
}

func (s *stream) read(in, _ *ring) error {
	n, link := &s.d.n, s.d.info.Link
	f := newFrames(s.c, s.d.conf.maxLen())
	hurried, which := false, uint64(0) // for that frame
	for {
		for b, ok := f.next(); ok; b, ok = f.next() {
			if s.take(in, b, link) == down {
				return nil
			}
		}
		if f.empty+f.tooBig > 0 {
			n.empty.Add(f.empty)
			n.tooBig.Add(f.tooBig)
			f.empty, f.tooBig = 0, 0
		}
		// A peer may be silent for ever, but a frame that has begun must come to its end:
		// each has one deadline, which more of its bytes do not put off.
		switch begun := f.begun(); {
		case begun && (!hurried || which != f.over):
			s.hurry.begin(aFrame)
			hurried, which = true, f.over
		case begun:
		case hurried:
			s.hurry.end(aFrame)
			hurried = false
		}
		if err := f.fill(); err != nil {
			return ending(err, f.begun())
		}
	}
}

func (s *stream) take(in *ring, b []byte, link packet.LinkType) fate {
	if malformed(b, link) {
		s.d.n.malformed.Add(1)
		return kept
	}
	what := in.put(b, true)
	if what == kept {
		s.d.n.received.Add(1)
	}
	return what
}

// ending is the reason why a stream ended, in the words of frames.
func ending(err error, begun bool) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errStalled
	case errors.Is(err, net.ErrClosed): // by us
		return nil
	case begun:
		return errTorn
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF): // the latter is TLS without its farewell
		return nil
	}
	return err
}

// piece is how much is written at once: as much as a peer may stall about.
const piece = 64 << 10

func (s *stream) write(out *ring) error {
	var b []byte
	for {
		if b = out.take(b, true); b == nil {
			return nil
		}
		packets := uint64(0)
		for rest := b; len(rest) > 0; packets++ {
			_, rest = cutFrame(rest)
		}
		for rest := b; len(rest) > 0; {
			n := min(len(rest), piece)
			s.raw.SetWriteDeadline(time.Now().Add(s.d.conf.Stall))
			if _, err := s.c.Write(rest[:n]); err != nil {
				s.d.n.dropped.Add(packets)
				switch {
				case errors.Is(err, os.ErrDeadlineExceeded):
					return errFull
				case errors.Is(err, net.ErrClosed):
					return nil
				}
				return err
			}
			rest = rest[n:]
		}
		s.d.n.sent.Add(packets)
	}
}
