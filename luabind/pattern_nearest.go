package luabind

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// recent are the packets that came last, copied while somebody expects one: what an
// expect that has waited in vain shows. Its memory is bounded and used again.
type recent struct {
	in      *instance
	waiting *engine.Waiting
	users   int
	ring    [maxRecent]*packet.Packet
	count   int // packets so far
}

const (
	maxRecent = 64
	// recentBytes of a packet are kept: headers, and enough of the payload to know it.
	recentBytes = 1024
)

// A watch is one expect's look at what comes from now on.
type watch struct {
	of   *recent
	from int // the count when it began
	done bool
}

func (in *instance) watch() *watch {
	if in.tasks.recent == nil {
		in.tasks.recent = &recent{in: in}
	}
	r := in.tasks.recent
	if r.users++; r.users == 1 {
		// It looks by being asked, and never says yes: no copy is made for it.
		r.waiting, _ = in.scope.Await(engine.Await{Ask: r.look, Peek: true, Stay: true, Run: func(*packet.Packet) {}})
	}
	return &watch{of: r, from: r.count}
}

func (r *recent) look(p *packet.Packet) bool {
	slot := &r.ring[r.count%maxRecent]
	if *slot == nil {
		*slot = (*packet.Pool)(nil).Get(recentBytes)
	}
	b := p.Frame()
	if err := (*slot).Set(b[:min(len(b), recentBytes)], p.Link()); err == nil {
		(*slot).In, (*slot).Out, (*slot).Time = p.In, p.Out, p.Time
		r.count++
	}
	return false
}

// end ends the watch, once.
func (w *watch) end() {
	if w == nil || w.done {
		return
	}
	w.done = true
	if w.of.users--; w.of.users == 0 {
		w.of.waiting.Cancel()
	}
}

// missed is the error of an expect that has waited in vain.
func (w *watch) missed(what string, pt *pattern, after time.Duration) error {
	var seen []*packet.Packet
	for i := max(w.from, w.of.count-maxRecent); i < w.of.count; i++ {
		seen = append(seen, w.of.ring[i%maxRecent])
	}
	return missed(what, pt, after, seen, w.of.count-w.from)
}

// missed says that none of seen, the last of count packets, was what pt wants, and
// shows the nearest: the one of which the most is as wanted, the last of equals.
func missed(what string, pt *pattern, after time.Duration, seen []*packet.Packet, count int) error {
	head := fmt.Sprintf("%s: nothing that matches came in %s", what, inSeconds(max(after, 0).Seconds()))
	if len(seen) == 0 {
		return errors.New(head + ", nor anything else")
	}
	var nearest *packet.Packet
	most := -1
	for _, p := range seen {
		n := 0
		for _, t := range pt.terms {
			if t.holds(p) {
				n++
			}
		}
		if n >= most {
			nearest, most = p, n
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s; the nearest of %d packets is %v", head, count, nearest)
	sep := ": "
	missing := "-" // the layer that is not there: its fields go without saying
	for _, t := range pt.terms {
		if !t.holds(nearest) && !strings.HasPrefix(t.name, missing) {
			fmt.Fprintf(&b, "%s%s %s, want %s", sep, t.name, t.got(nearest), t.want)
			sep, missing = "; ", t.name+"."
		}
	}
	switch {
	case sep != ": ":
	case len(pt.functions) > 0:
		b.WriteString(": the pattern's function said no")
	case pt.flow != (engine.Flow{}):
		b.WriteString(": it is of another flow")
	default:
		b.WriteString(": it matches, but another task took it, or a handler before it could come here")
	}
	return errors.New(b.String())
}
