package pcapfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// Failures is an engine.Observer that records the packets whose handler failed, as
// pcapng: a packet as it came in, and as its comment who failed, the error, and what the
// error has to say besides, such as a traceback. So a script that is mended can be tried
// on what it failed at.
//
// An error that comes again is counted: once a minute, and at the end, one more packet
// that brought it about is written, and its comment says how often it came since. Of more
// than maxFailures different errors in that time the others are only counted, by Lost.
//
// Observe is safe for concurrent use and never waits for the file. The zero Failures is a
// closed one.
type Failures struct {
	w *Writer // nil: nobody has made it

	mu    sync.Mutex
	hands []arrived // by worker
	seen  map[failure]*again
	since time.Time // when the counting began
	lost  uint64
}

const (
	// recount is how often it is written how often an error came again.
	recount = time.Minute
	// maxFailures bounds the different errors that are kept apart.
	maxFailures = 100
	// maxTraceback bounds what a comment says of one.
	maxTraceback = 8 << 10
)

// arrived is the packet that a worker received last, as it was.
type arrived struct {
	p    *packet.Packet // to compare with, and nothing else
	data []byte
	link packet.LinkType
	dev  string
}

// failure is what makes two errors equal.
type failure struct{ program, handler, text string }

// again is how often an error came since it was written, and one of the packets.
type again struct {
	times uint64
	entry entry
}

var _ engine.Observer = (*Failures)(nil)

// CreateFailures makes the file, "-" is standard output. Close it when the engine has
// stopped observing.
func CreateFailures(path string) (*Failures, error) {
	f, err := createOutput(path)
	if err != nil {
		return nil, err
	}
	r := NewFailures(f)
	if path != "-" {
		r.w.file = f
	}
	return r, nil
}

// NewFailures records to w, which one goroutine writes and Close leaves open.
func NewFailures(w io.Writer) *Failures {
	return &Failures{w: NewWriter(w, NG, "packets whose handler failed"), seen: map[failure]*again{}}
}

// Observe records the event if it is a failure with a packet.
func (f *Failures) Observe(e *engine.Event) {
	if e.Packet == nil || e.Kind != engine.Received && e.Kind != engine.Failed {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.w == nil {
		f.lost++
		return
	}
	if f.since.IsZero() {
		f.since = e.Time
	}
	if e.Time.Sub(f.since) >= recount {
		f.recount(e.Time)
	}
	for len(f.hands) <= e.Worker {
		f.hands = append(f.hands, arrived{})
	}
	hand := &f.hands[e.Worker]
	if e.Kind == engine.Received {
		hand.p, hand.link, hand.dev = e.Packet, e.Packet.Link(), e.Device
		hand.data = e.Packet.Append(hand.data[:0])
		return
	}
	key := failure{e.Program, e.Handler, e.Reason}
	known, ok := f.seen[key]
	switch {
	case !ok && len(f.seen) == maxFailures:
		f.lost++
	case !ok:
		f.seen[strong(key)] = &again{}
		f.write(hand.guilty(e, comment(e)))
	default:
		if known.times++; known.times == 1 {
			known.entry = hand.guilty(e, nil)
			known.entry.data = slices.Clone(known.entry.data)
		}
	}
}

// strong is a key that holds on to nothing larger than itself.
func strong(k failure) failure {
	return failure{strings.Clone(k.program), strings.Clone(k.handler), strings.Clone(k.text)}
}

// guilty is the packet that e is about: as it came in, if that is known.
func (a *arrived) guilty(e *engine.Event, comment []byte) entry {
	n := entry{device: e.Device, link: e.Packet.Link(), time: e.Time, dir: Inbound, comment: comment}
	if a.p == e.Packet {
		n.device, n.link, n.data = a.dev, a.link, a.data
		return n
	}
	if in := e.Packet.In; in != nil && n.device == "" {
		n.device = in.Name
	}
	n.data = e.Packet.Append(nil)
	return n
}

// comment says who failed and why.
func comment(e *engine.Event) []byte {
	b := describe(nil, e)
	if d, ok := errors.AsType[engine.Detailed](e.Err); ok && d.Detail() != "" {
		b = append(append(b, '\n'), d.Detail()...)
	}
	return b[:min(len(b), maxTraceback)]
}

// recount writes how often errors came again, in the order of their texts, and begins
// to count anew.
func (f *Failures) recount(now time.Time) {
	keys := slices.SortedFunc(maps.Keys(f.seen), func(a, b failure) int {
		return cmp.Or(cmp.Compare(a.program, b.program), cmp.Compare(a.handler, b.handler), cmp.Compare(a.text, b.text))
	})
	for _, k := range keys {
		if n := f.seen[k]; n.times > 0 {
			e := engine.Event{Kind: engine.Failed, Program: k.program, Handler: k.handler, Reason: k.text}
			n.entry.comment = fmt.Appendf(describe(nil, &e), "\nthe same error %d times more since %s", n.times, f.since.UTC().Format(time.RFC3339))
			f.write(n.entry)
		}
		// One that came in this time is known for one time more: what goes on and on is
		// written once, and then counted.
		if f.seen[k].times > 0 {
			f.seen[k] = &again{}
		} else {
			delete(f.seen, k)
		}
	}
	f.since = now
}

func (f *Failures) write(e entry) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if f.w.closed {
		f.w.lost++
		return
	}
	f.w.add(&e)
}

// Lost counts failures that are not in the file: of too many different errors in a
// minute, or because the disk was behind.
func (f *Failures) Lost() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.w == nil {
		return f.lost
	}
	return f.lost + f.w.Lost()
}

// Close writes what is left and returns the first error of writing. Idempotent.
func (f *Failures) Close() error {
	if f.w == nil {
		return nil
	}
	f.mu.Lock()
	f.recount(f.since)
	clear(f.seen)
	f.mu.Unlock()
	return f.w.Close()
}
