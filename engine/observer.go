package engine

import (
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// An Observer sees every packet received, every decision, every packet sent and
// every error. It is called on the worker, with several workers from each of
// them at the same time. It must not wait, change the packet or keep the event;
// what it needs later it copies (packet.Packet.Append).
type Observer interface {
	Observe(*Event)
}

// ObserverFunc is an Observer made of a function.
type ObserverFunc func(*Event)

// Observe calls f.
func (f ObserverFunc) Observe(e *Event) { f(e) }

// An Event is one thing that happened. It is the engine's and used again: valid
// during the call.
type Event struct {
	Kind    EventKind
	Time    time.Time // of the engine's clock
	Worker  int       // from 1
	Device  string    // where the packet came in, or for Sent and Lost where it leaves
	Program string    // who decided or failed, "" for the engine itself
	Handler string    // its handler's name, "" where there is none
	Reason  string    // why, in the words of Reason; for Failed the error's text
	Err     error     // for Failed and Gone
	Packet  *packet.Packet
}

// EventKind says what happened.
type EventKind uint8

const (
	Received  EventKind = iota // a packet came in
	Passed                     // no handler decided: it goes its way, or ends with Reason "unforwarded"
	Accepted                   // a handler forwarded it
	Dropped                    // a handler, on_error or, with no Program, the engine itself dropped it
	Replaced                   // other packets leave in its place
	Taken                      // a program has waited for it and keeps it
	Held                       // a fragment waits for the rest of its datagram, or a fault delays a packet: Reason
	Released                   // a packet that a fault delayed goes on: its verdict follows
	Joined                     // the fragment in hand completed a datagram, which is Packet: its verdict follows
	Abandoned                  // held fragments, of which Packet is one, are given up: Reason
	Sent                       // a packet left by Device
	Lost                       // a packet could not leave by Device: Reason
	Failed                     // a handler, timer or task failed: Err
	Gone                       // Device is lost: Err
	Back                       // Device was lost and is back
	Changed                    // what Device is, its MTU say, has changed: ask Scope.Device
)

var eventNames = [...]string{
	Received: "received", Passed: "pass", Accepted: "accept", Dropped: "drop", Replaced: "replace", Taken: "taken",
	Held: "hold", Released: "released", Joined: "joined", Abandoned: "abandoned",
	Sent: "sent", Lost: "lost", Failed: "error", Gone: "gone", Back: "back", Changed: "changed",
}

func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return "unknown"
}
