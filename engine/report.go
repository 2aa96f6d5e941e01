package engine

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

const (
	// retell is how often the log says how often errors came again.
	retell = time.Minute
	// maxSeen bounds the different errors that are remembered, and maxLoud those that are
	// shown between two times of telling: a text may have the packet's address in it.
	maxSeen = 1000
	maxLoud = 100
)

// reported is what a worker has shown of errors, and still has to.
type reported struct {
	seen  map[shown]int // how often, since it was told
	loud  int           // shown since then
	quiet int           // not shown
	timer *Timer        // of the next telling, nil if there is nothing to tell
}

// shown is an error that was shown.
type shown struct{ program, text string }

// report counts an error and shows it, with what it has to say, the first time;
// equal errors are only counted.
func (w *worker) report(program, handler string, err error, p *packet.Packet) {
	w.errors.add(program)
	w.classes.add(class(err))
	text := err.Error()
	if w.e.watched() {
		w.observe(Event{Kind: Failed, Program: program, Handler: handler, Reason: text, Err: err, Packet: p})
	}
	r := &w.reported
	key := shown{program, text}
	_, again := r.seen[key]
	switch {
	case again:
		r.seen[key]++
		w.tellLater()
		return
	case r.loud == maxLoud:
		r.quiet++
		w.tellLater()
		return
	case len(r.seen) >= maxSeen:
		w.tellAgain()
		clear(r.seen)
	case r.seen == nil:
		r.seen = map[shown]int{}
	}
	r.seen[key] = 1
	r.loud++
	w.tellLater() // if only to be loud again
	args := []any{"program", program, "error", text}
	if handler != "" {
		args = append(args, "handler", handler)
	}
	if d, ok := errors.AsType[Detailed](err); ok && d.Detail() != "" {
		args = append(args, "detail", d.Detail())
	}
	w.e.log.Error("a script failed; the same error again is only counted", args...)
}

// tellLater has tellAgain called in a while.
func (w *worker) tellLater() {
	r := &w.reported
	if r.timer != nil {
		return
	}
	r.timer = &Timer{fn: func() { r.timer = nil; w.tellAgain() }, due: later(w.now.UnixNano(), int64(retell)), at: -1}
	w.timers.add(r.timer)
}

// tellAgain shows how often errors came again, in the order of their texts.
func (w *worker) tellAgain() {
	r := &w.reported
	all := slices.SortedFunc(maps.Keys(r.seen), func(a, b shown) int {
		return cmp.Or(cmp.Compare(a.program, b.program), cmp.Compare(a.text, b.text))
	})
	for _, s := range all {
		if n := r.seen[s]; n > 1 {
			w.e.log.Warn("the same error again", "times", n-1, "program", s.program, "error", s.text)
			r.seen[s] = 1
		}
	}
	if r.quiet > 0 {
		w.e.log.Warn("further errors, each of them another one, were not shown", "times", r.quiet)
	}
	r.loud, r.quiet = 0, 0
}
