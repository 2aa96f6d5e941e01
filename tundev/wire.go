package tundev

import (
	"cmp"
	"io"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// Wire is the far end of a Pipe, the host's. Each call of Read or Write moves one
// packet, as on the descriptor of a TUN device. Safe for concurrent use.
//
// While an engine on the real clock has the device, a Read of nothing and a Write into
// a full pipe wait. Before that, and on a virtual clock, which stands still between two
// steps, they return ErrEmpty and ErrFull at once. When either end is closed, Read
// returns what is left and then io.EOF, and Write io.ErrClosedPipe.
type Wire struct {
	near *Device
	in   rings // seen from the device
	out  *ring
	link packet.LinkType
	far  func() *Device
}

var _ io.ReadWriteCloser = (*Wire)(nil)

// Read copies the next packet that the device sent into b. One that does not fit is cut
// to len(b), and the rest is lost: io.ErrShortBuffer.
func (w *Wire) Read(b []byte) (int, error) { return w.out.read(b) }

// Write gives the device one packet, which it copies: an IP packet or, on TAP, an
// Ethernet frame. What a TUN device would refuse is a *packet.ParseError.
func (w *Wire) Write(b []byte) (int, error) {
	if why := malformed(b, w.link); why != "" {
		return 0, &packet.ParseError{Link: w.link, Len: len(b), Why: why}
	}
	if err := w.in.of(b, w.link).write(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Pending is how many packets wait to be read.
func (w *Wire) Pending() int { return w.out.pending() }

// Close ends both directions. It is idempotent. An engine reads what was written before,
// then the device has come to its end.
func (w *Wire) Close() error {
	for _, r := range w.in {
		r.close()
	}
	w.out.close()
	return nil
}

// Device is this end as a device, for an engine that plays the host: its addresses,
// peers and MACs are those of the other end exchanged. Always the same one.
func (w *Wire) Device() engine.Device { return w.far() }

// Lose has the device fail as a TUN device does that somebody deletes: reading and
// writing are an ErrGone, and so is reopening, until Restore. What was on its way stays
// there.
func (w *Wire) Lose() { w.set(true) }

// Restore ends Lose: an engine that waits for the device takes it back at once.
func (w *Wire) Restore() { w.set(false) }

func (w *Wire) set(lost bool) {
	w.near.lanes()[0].(*pipeQueue).lost.Store(lost)
	if env, ok := w.near.hold.Env(); ok && env.Wake != nil {
		env.Wake(0)
	}
}

// SetMTU changes the MTU of the device, as `ip link set mtu` does. What is no MTU, as in
// Config, is an *Error.
func (w *Wire) SetMTU(mtu int) error {
	in := w.near.Info()
	c := Config{Name: in.Name, Kind: TUN, MTU: mtu}
	if in.Link == packet.Ethernet {
		c.Kind = TAP
	}
	if err := c.check(); err != nil {
		return err
	}
	w.near.update(func(in *engine.Info) { in.MTU = cmp.Or(mtu, DefaultMTU) })
	return nil
}
