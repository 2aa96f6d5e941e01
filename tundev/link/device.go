package link

import (
	"slices"
	"sync"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/tundev/internal/hold"
)

// Device is a link. It is an engine.Device: an engine reads and writes it. Safe for
// concurrent use. The zero Device is a closed one.
type Device struct {
	hold hold.Hold
	info engine.Info
	conf Config
	t    transport // nil: nobody has opened it
	in   *ring     // from the peer
	out  *ring     // to the peer
	n    counters

	mu     sync.Mutex
	run    *run // between Attach and Close
	closed bool
}

var _ engine.Device = (*Device)(nil)

// Open checks c, loads its certificates and listens where c says so. It connects nowhere:
// that begins with Attach, and is tried until it succeeds. It fails with an *Error.
func Open(c Config) (*Device, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	d := &Device{conf: c, in: newRing(c.maxLen()), out: newRing(c.maxLen()), info: engine.Info{
		Name: c.Name, Link: c.Link, MTU: c.MTU, MAC: c.MAC, PeerMAC: c.PeerMAC,
		Address: slices.Clone(c.Address), Peer: slices.Clone(c.Peer),
	}}
	var err error
	if c.Kind == UDP {
		d.t, err = newDatagrams(d)
	} else {
		d.t, err = newStreams(d)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Info is what the link is.
func (d *Device) Info() engine.Info { return d.info }

// Addr is where the link can be reached, with the port that the system chose for 0; ""
// if it only connects.
func (d *Device) Addr() string {
	if d.t == nil {
		return ""
	}
	return d.t.addr()
}

// Stats is what the link has counted.
func (d *Device) Stats() Stats { return d.n.snapshot() }

// Attach gives the link to an engine, which then closes it, and begins to look for the
// peer. It fails on a virtual clock, which no peer has.
func (d *Device) Attach(env engine.Env) ([]engine.Queue, error) {
	if d.t == nil {
		return nil, engine.ErrClosed
	}
	if env.Virtual {
		return nil, &Error{Op: "attach", Device: d.conf.Name, Kind: ErrVirtual, Fix: "use a capture, or a Pipe"}
	}
	if err := d.hold.Attach(env); err != nil {
		return nil, err
	}
	q := &queue{d: d, max: d.conf.maxLen()}
	d.in.reopen(true, d.wake)
	d.out.reopen(false, nil)
	d.mu.Lock()
	d.run = d.start()
	q.ended = d.run.ended
	d.mu.Unlock()
	return []engine.Queue{q}, nil
}

// Detach takes Attach back.
func (d *Device) Detach() {
	d.stop()
	d.hold.Detach(d.release)
}

// Close ends the link: what waits has a second to leave. In use it returns before the
// engine has let go of it.
func (d *Device) Close() error { return d.hold.Close(d.release) }

// farewell is how long a link that is closed may go on sending.
const farewell = time.Second

// stop ends the goroutines and waits for them.
func (d *Device) stop() {
	d.mu.Lock()
	r := d.run
	d.run = nil
	d.mu.Unlock()
	if r == nil {
		return
	}
	d.in.close()
	d.out.close()
	r.cancel()
	d.t.interrupt()
	select {
	case <-r.done:
		return
	case <-time.After(farewell):
	}
	r.abort()
	<-r.done
}

// release lets go of everything.
func (d *Device) release() error {
	d.stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.t == nil {
		return nil
	}
	d.closed = true
	return d.t.close()
}
