package pcapfile

import (
	"errors"
	"io"
	"sync"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// bufferLen is how many bytes wait for the disk, at most; there are two such buffers.
const bufferLen = 4 << 20

// Writer is an engine.Observer that records packets. Received and sent packets are in the
// file, inbound and outbound as the engine sees them, checksums finished. In pcapng each
// device is an interface, and a packet's comment says what became of it:
//
//	drop: blocked (gate.lua, line 3)
//
// A packet that could not leave is there with its reason. Classic pcap has no comments;
// it holds what was received and sent, of the link type of the first packet.
//
// Observe is safe for concurrent use and never waits for the file. The zero Writer is a
// closed one.
type Writer struct {
	mu      sync.Mutex
	e       *encoder // nil: nobody has made it
	begun   bool
	filling []byte    // what the goroutine takes next
	open    []pending // by worker, and one for what is sent: received, and not yet decided about
	lost    uint64
	closed  bool

	wake chan struct{}
	done chan struct{}
	w    io.Writer
	file io.Closer // nil: the caller's
	err  error     // of the goroutine, until done
}

// pending is the packet in a worker's hand.
type pending struct {
	entry
	waits bool
}

var _ engine.Observer = (*Writer)(nil)

// Create makes the file, in the classic format if its name ends in .pcap and in pcapng
// otherwise, where a note is a comment about the whole; "-" is standard output. Close it
// when the engine has stopped observing.
func Create(path, note string) (*Writer, error) {
	f, err := createOutput(path)
	if err != nil {
		return nil, err
	}
	w := NewWriter(f, formatOf(path), note)
	if path != "-" {
		w.file = f
	}
	return w, nil
}

// NewWriter records to w, which one goroutine writes and Close leaves open. To nil nothing
// can be written: Close says so.
func NewWriter(w io.Writer, f Format, note string) *Writer {
	if w == nil {
		w = nowhere{}
	}
	r := &Writer{
		e: newEncoder(f, packet.IP), w: w,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
		filling: make([]byte, 0, outputBuffer),
	}
	r.e.note = note
	if f == NG {
		r.begin()
		r.wake <- struct{}{} // who reads a pipe knows at once what it will be
	}
	go r.drain(make([]byte, 0, outputBuffer))
	return r
}

// nowhere is where a nil writer leads.
type nowhere struct{}

func (nowhere) Write([]byte) (int, error) {
	return 0, errors.New("the writer is nil: give NewWriter or NewFailures one")
}

// begin puts the head of the file first; the lock is held, or nobody else is there.
func (w *Writer) begin() {
	w.begun = true
	w.filling = w.e.header(w.filling)
}

// Observe records the event if it is about a packet.
func (w *Writer) Observe(e *engine.Event) {
	if e.Packet == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.e == nil {
		w.lost++
		return
	}
	switch e.Kind {
	case engine.Received:
		p := w.hand(e.Worker)
		w.decided(p) // a task took the one before
		p.device, p.link, p.time, p.dir = e.Device, e.Packet.Link(), e.Time, Inbound
		p.data, p.comment, p.waits = e.Packet.Append(p.data[:0]), p.comment[:0], true
	case engine.Failed, engine.Joined: // what follows is the verdict about the datagram
		if p := w.hand(e.Worker); p.waits {
			p.comment = append(describe(p.comment, e), "; "...)
		}
	case engine.Passed, engine.Accepted, engine.Dropped, engine.Replaced, engine.Taken, engine.Held:
		p := w.hand(e.Worker)
		if p.waits {
			p.comment = describe(p.comment, e)
		}
		w.decided(p)
	case engine.Sent:
		w.leaves(e, "")
	case engine.Lost:
		if w.e.format == NG {
			w.leaves(e, e.Kind.String())
		}
	}
}

// sending is the worker whose hand is used for what leaves.
const sending = -1

// hand is what a worker has in hand.
func (w *Writer) hand(worker int) *pending {
	for len(w.open) <= worker+1 {
		w.open = append(w.open, pending{})
	}
	return &w.open[worker+1]
}

// decided writes a received packet: no more will be said of it.
func (w *Writer) decided(p *pending) {
	if p.waits {
		p.waits = false
		w.add(&p.entry)
	}
}

// leaves writes a packet that is sent.
func (w *Writer) leaves(e *engine.Event, what string) {
	p := w.hand(sending)
	p.device, p.link, p.time, p.dir = e.Device, e.Packet.Link(), e.Time, Outbound
	p.data, p.comment = e.Packet.Append(p.data[:0]), p.comment[:0]
	if what != "" {
		p.comment = describe(p.comment, e)
	}
	w.add(&p.entry)
}

// add puts a packet into the buffer, or counts it as lost where it does not fit.
func (w *Writer) add(p *entry) {
	const around = 256 // an interface, a block and its options
	if len(w.filling)+len(p.data)+len(p.comment)+around > bufferLen {
		w.lost++
		return
	}
	if !w.begun {
		w.e.link = p.link
		w.begin()
	}
	var ok bool
	if w.filling, ok = w.e.packet(w.filling, p); !ok {
		w.lost++
		return
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// maxComment bounds what a handler's error puts into a comment.
const maxComment = 1024

// describe says in a line what the event says.
func describe(b []byte, e *engine.Event) []byte {
	b = append(b, e.Kind.String()...)
	if e.Reason != "" {
		b = append(append(b, ": "...), e.Reason[:min(len(e.Reason), maxComment)]...)
	}
	if e.Program != "" {
		b = append(append(b, " ("...), e.Program...)
		if e.Handler != "" {
			b = append(append(b, ", "...), e.Handler...)
		}
		b = append(b, ')')
	}
	return b[:min(len(b), 4*maxComment)]
}

// drain writes what the workers have filled, and gives them the buffer that it wrote
// before. After an error it goes on emptying, for the count.
func (w *Writer) drain(empty []byte) {
	defer close(w.done)
	for {
		<-w.wake
		w.mu.Lock()
		full, closed := w.filling, w.closed
		w.filling = empty
		w.mu.Unlock()
		if len(full) > 0 && w.err == nil {
			_, w.err = w.w.Write(full)
		}
		empty = full[:0]
		if closed {
			return
		}
	}
}

// Lost counts the packets that are not in the file because the disk was behind, they came
// after Close, or a classic file cannot hold their link type.
func (w *Writer) Lost() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// Close writes what is left and returns the first error of writing. Idempotent.
func (w *Writer) Close() error {
	w.mu.Lock()
	if w.closed || w.e == nil {
		w.mu.Unlock()
		if w.done != nil {
			<-w.done
		}
		return nil
	}
	for i := range w.open {
		w.decided(&w.open[i])
	}
	if !w.begun {
		w.begin()
	}
	w.closed = true
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default: // the goroutine has not seen the one before, and sees both
	}
	<-w.done
	if w.file != nil {
		return errors.Join(w.err, w.file.Close())
	}
	return w.err
}
