package engine

import (
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// A Device is where packets come in and leave: a TUN or TAP device, a capture
// file, a link, memory. Implementations are drivers; they know this interface
// and nothing else of the engine.
//
// New takes a device over by Attach; from then on the engine closes it, at the
// end of Run or by Close of an engine that never ran.
type Device interface {
	// Info is a snapshot of what the device is now. It may be called from any
	// goroutine at any time, also before Attach and after Close.
	Info() Info

	// Attach hands the device to an engine and returns its queues, at least one.
	// It fails with an error that wraps ErrInUse or ErrClosed for a device that
	// another engine has or that was closed. Nothing is read before Attach.
	Attach(Env) ([]Queue, error)

	// Detach takes Attach back: the engine could not be made, and the device is
	// its owner's again.
	Detach()

	// Close ends the device. It is idempotent and may come from any goroutine.
	// In use it only marks the device as closed and wakes its workers, whose next
	// Read says io.EOF; they close the queues, and with them the descriptors.
	Close() error
}

// Info is what a device is: a snapshot, not changed after it was made.
type Info struct {
	Name    string // "tun0"; unique in an engine
	Link    packet.LinkType
	MTU     int            // largest IP packet, in bytes
	MAC     packet.MAC     // the kernel's own, on Ethernet
	PeerMAC packet.MAC     // the far side's, on Ethernet
	Address []netip.Prefix // the kernel's side
	Peer    []netip.Addr   // the far side, where a built packet comes from

	Kernel string // what the kernel calls it now, if somebody has renamed it; Name stays
	Down   bool   // it is there, and takes no packets
	Moved  bool   // somebody has moved it to another network namespace; it works there
}

// Env is what an engine gives a device at Attach.
type Env struct {
	Now     func() time.Time // the engine's clock
	Virtual bool             // that clock is virtual: nothing may wait for real time
	Wake    func(queue int)  // makes the worker of that queue read it; safe from any goroutine, never waits
	Changed func()           // has the engine ask for Info again; safe from any goroutine, never waits
}

// A Queue is one lane of a device. It belongs to one worker, and only that
// worker's goroutine calls it.
type Queue interface {
	// Read puts what waits into ps, in packets from pool, and returns at once:
	// 0 and nil when nothing waits. The packets belong to the caller. io.EOF says
	// that the queue is finished for good and nothing is wrong; any other error
	// that the device is lost. Packets that were read before an error are
	// returned, with n > 0 and the error at the next call.
	Read(ps []*packet.Packet, pool *packet.Pool) (n int, err error)

	// Write sends ps in order and never waits. A packet that the device cannot
	// take is passed to lost with the reason, and is not an error. The packets
	// stay the caller's. An error says that the device is lost, and the packets
	// not yet sent with it; the engine calls none of ps sent.
	Write(ps []*packet.Packet, lost func(p *packet.Packet, why Reason)) error

	// FD is a descriptor that becomes readable when packets wait, or -1: then
	// Env.Wake tells.
	FD() int

	// Close releases the queue. It is the last call, and comes from the worker.
	Close() error
}

// A Timed queue plays packets at times of their own, as a capture does.
type Timed interface {
	// Next is the time of the next packet, and false when there is none left.
	// Read returns only what is due by the clock of Env.
	Next() (time.Time, bool)
}

// Errors that concern devices.
var (
	ErrInUse  = errors.New("the device is in use: an engine has it already")
	ErrClosed = errors.New("the device is closed: open it again")
)

// finished reports an error of Read that ends a queue without a complaint.
func finished(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, ErrClosed) }

// port is the device as packets carry it.
func (in Info) port(index int) *packet.Port {
	return &packet.Port{
		Name: in.Name, Index: index, Link: in.Link, MTU: in.MTU,
		MAC: in.MAC, PeerMAC: in.PeerMAC, Addrs: in.Address, Peers: in.Peer,
	}
}
