package link

import (
	"context"
	"crypto/tls"
	"errors"
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

// streams finds the peers of a TCP link.
type streams struct {
	d      *Device
	secure *tls.Config      // nil: plain
	ln     *net.TCPListener // nil: it connects
}

func newStreams(d *Device) (*streams, error) {
	t := &streams{d: d}
	var err error
	if t.secure, err = secure(d.conf); err != nil {
		return nil, err
	}
	if d.conf.waits() {
		ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(d.conf.Local))
		if err != nil {
			return nil, listenError(d.conf, err)
		}
		t.ln = ln
	}
	return t, nil
}

func listenError(c Config, err error) error {
	return &Error{Op: "listen on " + c.Local.String(), Device: c.Name, Kind: ErrListen, Err: err,
		Fix: "choose an address of this host and a port that is free (ss -lnp shows who has it)"}
}

func (t *streams) addr() string {
	if t.ln == nil {
		return ""
	}
	return t.ln.Addr().String()
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

func (t *streams) resume() {
	if t.ln != nil {
		t.ln.SetDeadline(time.Time{})
	}
}

func (t *streams) interrupt() {
	if t.ln != nil {
		t.ln.SetDeadline(past)
	}
}

func (t *streams) close() error {
	if t.ln == nil {
		return nil
	}
	return t.ln.Close()
}

// next connects, or waits until somebody does.
func (t *streams) next(ctx context.Context) (session, error) {
	c, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	s := &stream{d: t.d, raw: c, c: c}
	if t.secure == nil {
		return s, nil
	}
	tc := tls.Client(c, t.secure)
	if t.ln != nil {
		tc = tls.Server(c, t.secure)
	}
	ctx, cancel := context.WithTimeout(ctx, handshake)
	defer cancel()
	if err := tc.HandshakeContext(ctx); err != nil {
		c.Close()
		t.d.n.refused.Add(1)
		return nil, &refusal{c.RemoteAddr().String(), err}
	}
	s.c = tc
	return s, nil
}

// refusal is a peer that TLS does not let in.
type refusal struct {
	peer string
	err  error
}

func (e *refusal) Error() string { return "TLS with " + e.peer + ": " + e.err.Error() }
func (e *refusal) Unwrap() error { return e.err }

func (t *streams) connect(ctx context.Context) (*net.TCPConn, error) {
	if t.ln != nil {
		c, err := t.ln.AcceptTCP()
		if err == nil {
			c.SetKeepAliveConfig(keepAlive)
		}
		return c, err
	}
	d := net.Dialer{Timeout: handshake, KeepAliveConfig: keepAlive}
	if l := t.d.conf.Local; l.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(l)
	}
	c, err := d.DialContext(ctx, "tcp", t.d.conf.Remote)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// stream is one peer of a TCP link.
type stream struct {
	d   *Device
	raw *net.TCPConn
	c   net.Conn // raw, or TLS over it
}

func (s *stream) peer() string { return s.raw.RemoteAddr().String() }

// close closes the connection below TLS, whose own Close may wait for a peer that does not
// read. The peer sees the end of the stream, which is all that a link wants to say.
func (s *stream) close() { s.raw.Close() }

func (s *stream) read(in, _ *ring) error {
	n, link := &s.d.n, s.d.info.Link
	f := newFrames(s.c, s.d.conf.maxLen())
	hurried := false // there is a deadline
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
		// A peer may be silent for ever, but not in the middle of a frame.
		switch begun := f.begun(); {
		case begun:
			s.raw.SetReadDeadline(time.Now().Add(s.d.conf.Stall))
			hurried = true
		case hurried:
			s.raw.SetReadDeadline(time.Time{})
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
