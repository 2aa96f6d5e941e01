package link

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// transport is how a link finds its peers, one after the other.
type transport interface {
	next(ctx context.Context) (session, error) // waits for one
	resume(ctx context.Context)                // before the first next, until ctx ends
	interrupt()                                // ends what waits, once ctx has ended
	settle()                                   // waits until nothing of it runs
	addr() string
	close() error
}

// session is one peer.
type session interface {
	peer() string             // "" until it is known
	read(in, out *ring) error // until the peer is gone, or close
	write(out *ring) error    // until out is over and empty
	close()                   // from any goroutine; ends read
}

// run is the time between Attach and Close.
type run struct {
	cancel context.CancelFunc
	done   chan struct{} // nothing runs any more
	ended  chan struct{} // there will be no other peer

	mu      sync.Mutex
	current session
}

func (d *Device) start() *run {
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{cancel: cancel, done: make(chan struct{}), ended: make(chan struct{})}
	d.t.resume(ctx)
	go func() {
		defer close(r.done)
		defer func() {
			cancel()
			d.t.interrupt()
			d.t.settle()
		}()
		d.peers(ctx, r)
		close(r.ended)
		if ctx.Err() == nil {
			d.wake()
		}
	}()
	return r
}

// wake makes the worker see that something has changed.
func (d *Device) wake() {
	if env, ok := d.hold.Env(); ok && env.Wake != nil {
		env.Wake(0)
	}
}

// abort closes the session that there is.
func (r *run) abort() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil {
		r.current.close()
	}
}

func (r *run) set(s session) {
	r.mu.Lock()
	r.current = s
	r.mu.Unlock()
}

// Between attempts to find a peer passes first 0.1 s, then twice as long each time, up to
// 10 s, and up to a fifth more, so that many links do not come back all at once. One that
// was there for 10 s starts it anew.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
	longEnough = maxPause
)

// peers serves one peer after the other until ctx ends.
func (d *Device) peers(ctx context.Context, r *run) {
	pause, said := firstPause, ""
	for ctx.Err() == nil {
		s, err := d.t.next(ctx)
		if ctx.Err() != nil {
			if s != nil {
				s.close()
			}
			return
		}
		if err != nil {
			if text := err.Error(); text != said { // not again at every attempt
				d.conf.Log.Warn("no peer", "err", text, "again", pause)
				said = text
			}
		} else {
			began := time.Now()
			said = ""
			r.set(s)
			d.serve(ctx, s)
			r.set(nil)
			if d.conf.Once {
				return
			}
			if d.conf.waits() || time.Since(began) > longEnough {
				pause = firstPause
			}
			if d.conf.waits() {
				continue // the next one may be there
			}
		}
		if !sleep(ctx, pause+rand.N(pause/5)) {
			return
		}
		pause = min(2*pause, maxPause)
	}
}

// sleep waits, and returns false when ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// serve is the time of one peer.
func (d *Device) serve(ctx context.Context, s session) {
	known := s.peer() != ""
	if known {
		d.greet(s.peer())
	}
	d.out.start(known)
	var wrote error
	written := make(chan struct{})
	go func() {
		defer close(written)
		if wrote = s.write(d.out); wrote != nil || d.out.finished() {
			s.close()
		}
	}()
	read := s.read(d.in, d.out)
	if ctx.Err() == nil { // else the writer sends what is left, and closes
		s.close()
		d.n.dropped.Add(uint64(d.out.stop()))
	}
	<-written
	s.close()
	d.n.peer.Store(nil)
	d.part(s.peer(), read, wrote)
}

// greet notes that a peer is there.
func (d *Device) greet(peer string) {
	d.n.came(peer)
	d.conf.Log.Info("peer is there", "peer", peer)
}

// part notes why a peer is gone, and what the link has counted until then. An end that
// closes while it is read from makes both directions fail; what the peer did wrong is said
// first.
func (d *Device) part(peer string, read, wrote error) {
	err := read
	if err == nil || errors.Is(wrote, errFull) {
		err = wrote
	}
	switch {
	case errors.Is(err, errTorn):
		d.n.torn.Add(1)
	case errors.Is(err, errStalled), errors.Is(err, errFull):
		d.n.stalled.Add(1)
	}
	if peer == "" {
		return
	}
	all := d.Stats()
	attrs := append([]any{"peer", peer, "received", all.Received, "sent", all.Sent}, all.wrong()...)
	if err == nil {
		d.conf.Log.Info("peer is gone", attrs...)
	} else {
		d.conf.Log.Warn("peer is gone", append(attrs, "err", err.Error())...)
	}
}
