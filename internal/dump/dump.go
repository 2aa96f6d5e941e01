// Package dump prints what an engine does, a line for every packet received with
// its verdict and one for every packet sent: the observer behind --dump and the
// demo.
//
// It is called on the worker and must not wait for a terminal: what happened is
// copied into a bounded queue, and a goroutine of its own makes text of it. When
// that is behind, lines are missing, and counted.
package dump

import (
	"bufio"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/engine/packet/dissect"
)

// room is how many lines wait for the writer before further ones are lost.
const room = 4096

// Options say what is printed.
type Options struct {
	Hex   bool   // the bytes, too
	Count int    // after so many received packets Done is called, and nothing more is printed; 0: never
	Done  func() // on the worker; must not wait
}

// A Dumper prints events. Observe may be called by several workers at the same time: lines
// of each are in its order.
type Dumper struct {
	opt   Options
	lines chan *line
	free  sync.Pool
	lost  atomic.Uint64
	ended sync.WaitGroup

	mu   sync.Mutex
	seen int
	held map[int]*line // by worker: a packet received, whose verdict is to come
}

// A line is one packet on its way to the writer.
type line struct {
	time   time.Time
	device string
	out    bool
	link   packet.LinkType
	frame  []byte
	note   string
}

// New starts a dumper that writes to w. Close ends it.
func New(w io.Writer, opt Options) *Dumper {
	d := &Dumper{opt: opt, lines: make(chan *line, room), held: map[int]*line{}}
	d.free.New = func() any { return new(line) }
	d.ended.Go(func() { d.print(w) })
	return d
}

// Close prints what waits and ends the dumper. The engine must not call Observe
// any more.
func (d *Dumper) Close() {
	for worker := range d.held {
		d.flush(worker)
	}
	close(d.lines)
	d.ended.Wait()
}

// Lost is how many lines are missing because the writer was behind.
func (d *Dumper) Lost() uint64 { return d.lost.Load() }

// Observe implements engine.Observer.
func (d *Dumper) Observe(e *engine.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opt.Count > 0 && d.seen > d.opt.Count {
		return
	}
	switch e.Kind {
	case engine.Received:
		d.flush(e.Worker)
		if d.seen++; d.opt.Count > 0 && d.seen > d.opt.Count {
			d.opt.Done()
			return
		}
		// The line shows the packet as it came; its verdict is the next event.
		d.held[e.Worker] = d.line(e)
	case engine.Passed, engine.Accepted, engine.Dropped, engine.Replaced, engine.Taken, engine.Held:
		if l := d.held[e.Worker]; l != nil {
			l.note = verdict(e)
		}
		d.flush(e.Worker)
	case engine.Joined: // the datagram has a line of its own, behind its last fragment's
		if l := d.held[e.Worker]; l != nil {
			l.note = e.Kind.String()
		}
		d.flush(e.Worker)
		d.held[e.Worker] = d.line(e)
	case engine.Released: // a line for its verdict, long after the one that says that it is held
		d.flush(e.Worker)
		d.held[e.Worker] = d.line(e)
	case engine.Abandoned:
		l := d.line(e)
		l.note = e.Kind.String() + ": " + e.Reason
		d.put(l)
	case engine.Sent:
		l := d.line(e)
		l.out = true
		d.put(l)
	case engine.Lost:
		l := d.line(e)
		l.out, l.note = true, "lost: "+e.Reason
		d.put(l)
	}
}

func (d *Dumper) line(e *engine.Event) *line {
	l := d.free.Get().(*line)
	l.time, l.device, l.out, l.note = e.Time, e.Device, false, ""
	l.link, l.frame = e.Packet.Link(), e.Packet.Append(l.frame[:0])
	return l
}

func (d *Dumper) flush(worker int) {
	if l := d.held[worker]; l != nil {
		d.put(l)
		d.held[worker] = nil
	}
}

func (d *Dumper) put(l *line) {
	select {
	case d.lines <- l:
	default:
		d.lost.Add(1)
		d.free.Put(l)
	}
}

// verdict is "drop by gate.lua:3: bad checksum".
func verdict(e *engine.Event) string {
	s := e.Kind.String()
	if e.Handler != "" {
		s += " by " + e.Handler
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

func (d *Dumper) print(w io.Writer) {
	b := bufio.NewWriter(w)
	for l := range d.lines {
		l.write(b, d.opt.Hex)
		d.free.Put(l)
		if len(d.lines) == 0 {
			b.Flush()
		}
	}
	if n := d.Lost(); n > 0 {
		fmt.Fprintf(b, "%d lines are missing: the output was too slow\n", n)
	}
	b.Flush()
}

// write prints time, device, direction, length of the frame, the packet, and what
// became of it.
func (l *line) write(b *bufio.Writer, hex bool) {
	direction := "in "
	if l.out {
		direction = "out"
	}
	p, err := packet.Parse(l.frame, l.link)
	text := ""
	if err != nil {
		text = err.Error()
	} else {
		text = p.String()
		if more := dissect.Line(p); more != "" {
			text += ": " + more
		}
	}
	fmt.Fprintf(b, "%s %s %s %4d  %s", l.time.Format("15:04:05.000000"), l.device, direction, len(l.frame), text)
	if l.note != "" {
		fmt.Fprintf(b, "  [%s]", l.note)
	}
	b.WriteByte('\n')
	if hex && err == nil {
		b.WriteString(p.Hex(true))
	}
}
