package luabind

import (
	"cmp"
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
	e := &missedError{head: head, nearest: nearest.String(), count: count}
	missing := "-" // the layer that is not there: its fields go without saying
	for _, t := range pt.terms {
		if !t.holds(nearest) && !strings.HasPrefix(t.name, missing) {
			e.fields = append(e.fields, missedField{t.name, t.got(nearest), t.want})
			missing = t.name + "."
		}
	}
	switch {
	case len(e.fields) > 0:
	case len(pt.functions) > 0:
		e.why = "the pattern's function said no"
	case pt.flow != (engine.Flow{}):
		e.why = "it is of another flow"
	default:
		e.why = "it matches, but another task took it, or a handler before it could come here"
	}
	return e
}

// A missedError says what came nearest to what was expected, and in which fields it
// differs.
type missedError struct {
	head    string
	nearest string
	count   int
	fields  []missedField
	why     string // where no field differs
}

// A missedField is a field as it came and as it was expected.
type missedField struct{ name, got, want string }

func (e *missedError) Error() string {
	parts := make([]string, len(e.fields))
	for i, f := range e.fields {
		parts[i] = fmt.Sprintf("%s %s, want %s", f.name, f.got, f.want)
	}
	return fmt.Sprintf("%s; the nearest of %s is %s: %s", e.head, packets(e.count), e.nearest, cmp.Or(strings.Join(parts, "; "), e.why))
}

// Detail has a line for each field.
func (e *missedError) Detail() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; the nearest of %s is\n%s", e.head, packets(e.count), e.nearest)
	name, got := 0, 0
	for _, f := range e.fields {
		name, got = max(name, len(f.name)), max(got, len(f.got))
	}
	for _, f := range e.fields {
		fmt.Fprintf(&b, "\n%-*s  %-*s  want %s", name, f.name, got, f.got, f.want)
	}
	if e.why != "" {
		b.WriteString("\n" + e.why)
	}
	return b.String()
}

func packets(n int) string {
	if n == 1 {
		return "1 packet"
	}
	return fmt.Sprintf("%d packets", n)
}
