package link

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// door lets the peers in of a TCP link that waits for them, one at a time. Who comes while
// one is there is refused at once, so that it knows, and who takes its time over TLS keeps
// nobody else waiting.
type door struct {
	d      *Device
	ln     *net.TCPListener
	secure *tls.Config // nil: plain

	in    chan *stream // who was let in; holds one
	taken atomic.Bool  // somebody is in, or in the channel
	knock chan struct{}
	wg    sync.WaitGroup
}

// knocking is how many may be busy with TLS at the same time.
const knocking = 16

var (
	errTaken = errors.New("another peer is there")
	errCrowd = errors.New("too many have not finished with TLS")
)

func newDoor(d *Device, secure *tls.Config) (*door, error) {
	ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(d.conf.Local))
	if err != nil {
		return nil, listenError(d.conf, err)
	}
	return &door{d: d, ln: ln, secure: secure, in: make(chan *stream, 1), knock: make(chan struct{}, knocking)}, nil
}

func (o *door) addr() string { return o.ln.Addr().String() }
func (o *door) interrupt()   { o.ln.SetDeadline(past) }
func (o *door) close() error { return o.ln.Close() }

// resume accepts whoever comes until ctx ends.
func (o *door) resume(ctx context.Context) {
	o.ln.SetDeadline(time.Time{})
	o.wg.Go(func() {
		for ctx.Err() == nil {
			c, err := o.ln.AcceptTCP()
			if err != nil {
				sleep(ctx, firstPause) // no descriptor left, if ctx goes on
				continue
			}
			o.answer(ctx, c)
		}
	})
}

// settle waits until nobody is at the door.
func (o *door) settle() {
	o.wg.Wait()
	select {
	case s := <-o.in:
		s.close()
	default:
	}
}

// next waits until somebody is in.
func (o *door) next(ctx context.Context) (session, error) {
	select {
	case s := <-o.in:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (o *door) answer(ctx context.Context, c *net.TCPConn) {
	s := newStream(o.d, c)
	if o.taken.Load() {
		o.refuse(s, errTaken)
		return
	}
	c.SetKeepAliveConfig(keepAlive)
	if o.secure == nil {
		o.admit(s)
		return
	}
	select {
	case o.knock <- struct{}{}:
	default:
		o.refuse(s, errCrowd)
		return
	}
	o.wg.Go(func() {
		defer func() { <-o.knock }()
		if err := s.shake(ctx, tls.Server(s.records(), o.secure)); err != nil {
			o.refuse(s, err)
			return
		}
		o.admit(s)
	})
}

func (o *door) admit(s *stream) {
	if !o.taken.CompareAndSwap(false, true) {
		o.refuse(s, errTaken)
		return
	}
	s.left = sync.OnceFunc(func() { o.taken.Store(false) })
	o.in <- s
}

func (o *door) refuse(s *stream, err error) {
	s.close()
	o.d.n.refused.Add(1)
	o.d.conf.Log.Warn("peer is refused", "peer", s.peer(), "err", err.Error())
}
