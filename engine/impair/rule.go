package impair

import (
	"time"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// A Rule is checked options. It never changes, and any number of goroutines may
// use it.
type Rule struct {
	o       Options
	filter  *filter.Filter
	gilbert Gilbert
	bursts  bool          // losses by gilbert
	room    time.Duration // how long what waits for the line may take on it
}

// New checks o and makes a rule of it. An error is an [*OptionError]; of a filter
// it wraps a [*filter.SyntaxError].
func New(o Options) (*Rule, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	r := &Rule{o: o, filter: o.Match}
	if r.filter == nil && o.Filter != "" {
		f, err := filter.Compile(o.Filter)
		if err != nil {
			return nil, &OptionError{"filter", err}
		}
		r.filter = f
	}
	if o.Gap > 0 && o.Reorder == 0 {
		r.o.Reorder = 1
	}
	switch {
	case o.Gilbert != nil:
		r.gilbert, r.bursts = *o.Gilbert, true
	case o.Burst > 0:
		// Of a chain that loses all while bad and nothing while good the mean loss
		// is P/(P+R) and the mean burst 1/R.
		leave := 1 / o.Burst
		r.gilbert, r.bursts = Gilbert{P: o.Loss * leave / (1 - o.Loss), R: leave, Bad: 1}, true
	}
	if o.Rate > 0 {
		queue := o.Queue
		if queue == 0 {
			queue = max(DefaultQueue, int(o.Rate/8/10))
		}
		r.room = time.Duration(float64(queue) * 8 / float64(o.Rate) * float64(time.Second))
	}
	return r, nil
}

// Options are what the rule was made of.
func (r *Rule) Options() Options { return r.o }

// Active reports whether the rule's window is open, t after the rule took effect.
func (r *Rule) Active(t time.Duration) bool {
	if t -= r.o.At; t < 0 {
		return false
	}
	if r.o.Every > 0 {
		t %= r.o.Every
	}
	return r.o.For == 0 || t < r.o.For
}

// Wants reports whether p is one of the rule's packets, t after the rule took
// effect. It allocates nothing.
func (r *Rule) Wants(p *packet.Packet, t time.Duration) bool {
	return r.Active(t) && r.filter.Match(p)
}
