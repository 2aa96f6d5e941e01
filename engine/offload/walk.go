package offload

import "github.com/tunscript/tunscript/engine/packet"

// A Fate is what becomes of a segment that was shown.
type Fate uint8

const (
	Pass  Fate = iota // it leaves in its place, as it now is
	Drop              // it goes no further
	Taken             // who was shown it has it, after [packet.Packet.Own], or has it no more
)

// A Walker walks over super-packets, one at a time.
type Walker struct {
	Pool *packet.Pool // where what is handed out comes from; nil: from the heap

	// Out gets what passes, in order. A packet that is not the super-packet itself
	// belongs to it. It may be called in the middle of a segment, from Flush. nil: what
	// passes goes nowhere.
	Out func(*packet.Packet)

	c       cutting
	stamped bool // the headers of segment at are written into the super-packet
	at      int
	from    int // the run of untouched segments is from to at
	save    [headLen]byte
	walking bool
}

func (w *Walker) out(p *packet.Packet) {
	if w.Out != nil {
		w.Out(p)
	}
}

// Walk shows the segments of super one after the other, each as an ordinary packet
// in place. One that passes untouched costs no copy: it goes on as part of the run of
// such segments that it is in, as one super-packet, and if all of them do, super
// itself does, which is reported. One that has been changed, or sent elsewhere by its
// Out, goes on as a packet of its own.
//
// The packet that show gets is borrowed. What it writes to it never reaches other
// segments. In between, [Walker.Flush] hands the run on. A walk in a walk is not
// possible.
func (w *Walker) Walk(super *packet.Packet, show func(*packet.Packet) Fate) (whole bool, err error) {
	c := &w.c
	if err := c.begin(super); err != nil {
		return false, err
	}
	w.walking, w.from = true, 0
	var p *packet.Packet
	for i := range c.n {
		w.at = i
		if p == nil {
			p = w.Pool.Get(c.hl + min(c.size, c.end-c.hl))
		}
		n := w.stamp()
		p.Window(super, i*c.size, i*c.size+c.hl+n)
		tag, edits := p.Tag(), p.Edits()
		fate := Pass
		if show != nil {
			fate = show(p)
		}
		switch {
		case fate == Pass && p.Edits() == edits && p.Out == super.Out:
			p.Leave()
			p.SetTag(tag)
			w.unstamp()
			continue
		case fate == Drop:
			p.Leave()
			p.SetTag(tag)
		default:
			p.Own()
		}
		w.unstamp()
		w.run(i)
		w.from = i + 1
		if fate == Pass {
			w.out(p)
		}
		if fate != Drop {
			p = nil
		}
	}
	w.Pool.Put(p)
	w.at = c.n
	if whole = w.from == 0; whole {
		if c.n == 1 { // a TCP one of one segment and with options the kernel loses
			super.SetGSO(packet.GSO{})
		}
		w.from = c.n // nothing is left for a Flush
		w.out(super)
	} else {
		w.run(c.n)
	}
	w.walking, c.p, c.b = false, nil, nil
	return whole, nil
}

// Flush hands on the run of segments that have passed untouched so far, for the sake
// of something that must leave behind them. Without a walk it does nothing.
func (w *Walker) Flush() {
	if w.walking {
		w.run(w.at)
	}
}

// stamp writes the headers of segment at in front of its payload, and says how long
// that is.
//
// They overwrite the end of the payload in front, which therefore is put back before
// the next segment. A segment shorter than the headers makes the next stamp reach
// over several; as only one is there at a time, each finds what it must save.
func (w *Walker) stamp() int {
	c := &w.c
	o := w.at * c.size
	copy(w.save[:c.hl], c.b[o:])
	n := c.payload(w.at, w.at+1)
	c.headers(c.b[o:o+c.hl], w.at, w.at+1, n)
	w.stamped = true
	return n
}

func (w *Walker) unstamp() {
	c := &w.c
	copy(c.b[w.at*c.size:], w.save[:c.hl])
	w.stamped = false
}

// run hands on the segments from w.from up to to as one packet.
func (w *Walker) run(to int) {
	c, from := &w.c, w.from
	if from >= to {
		return
	}
	w.from = to
	n := c.payload(from, to)
	q := w.Pool.Get(c.hl + n)
	b := q.Room(c.hl + n)
	copy(b[c.hl:], c.b[c.hl+from*c.size:][:n])
	if w.stamped { // to is the segment in hand, whose headers hide the last bytes
		if k := c.hl - (to-from)*c.size; k > 0 {
			copy(b[c.hl:], w.save[k:c.hl])
		} else {
			copy(b[(to-from)*c.size:], w.save[:c.hl])
		}
	}
	c.headers(b, from, to, n)
	c.fill(q, n)
	if to-from > 1 {
		g := c.p.GSO()
		if from > 0 {
			g.Type &^= ECN
		}
		q.SetGSO(g)
	}
	w.out(q)
}

// fill makes q the packet whose n bytes of payload and headers are in its Room.
func (c *cutting) fill(q *packet.Packet, n int) {
	// Fill refuses what does not begin with an IP version, and this begins as p does.
	_ = q.Fill(0, c.hl+n, c.p.Link())
	q.In, q.Out, q.Time = c.p.In, c.p.Out, c.p.Time
	q.SetCame(c.p.Came())
	if c.partial {
		q.SetPartial()
	}
}

// Split appends to dst the segments of super as ordinary packets, for a device that
// takes nothing else. They come from the pool, in order, with unfinished checksums
// and the ports and time of super, which stays as it is.
func (w *Walker) Split(dst []*packet.Packet, super *packet.Packet) ([]*packet.Packet, error) {
	c := &w.c
	if err := c.begin(super); err != nil {
		return dst, err
	}
	for i := range c.n {
		n := c.payload(i, i+1)
		q := w.Pool.Get(c.hl + n)
		b := q.Room(c.hl + n)
		copy(b[c.hl:], c.b[c.hl+i*c.size:][:n])
		c.headers(b, i, i+1, n)
		c.fill(q, n)
		dst = append(dst, q)
	}
	c.p, c.b = nil, nil
	return dst, nil
}
