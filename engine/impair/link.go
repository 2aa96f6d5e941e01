package impair

import (
	"math/rand/v2"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// A Link is one direction of a link under a rule. It belongs to one goroutine.
type Link struct {
	rule *Rule
	line line
	bad  bool      // the state of the Gilbert-Elliott chain
	met  bool      // it has seen a packet
	last time.Time // when the last packet that keeps its order arrives
	gap  int       // packets since one jumped the queue
}

// Link makes a link under the rule, with nothing on it.
func (r *Rule) Link() *Link { return &Link{rule: r} }

// Rule is what the link is under.
func (l *Link) Rule() *Rule { return l.rule }

// Decide says what becomes of p, which enters the link at now and which the rule
// wants. It changes nothing of p: that does [Decision.Apply]. Time must not go
// back from call to call; of a clock that does, packets wait no longer than they
// would have. It allocates nothing. Without a packet, a rule or chance nothing happens.
func (l *Link) Decide(p *packet.Packet, now time.Time, chance *rand.Rand) (d Decision) {
	if p == nil || l.rule == nil || chance == nil {
		return d
	}
	o := &l.rule.o
	at := p.Layout()
	switch {
	case o.Blackhole:
		return Decision{Drop: Blackholed}
	case o.MTU > 0 && at.End-at.L3 > o.MTU:
		return Decision{Drop: TooBig}
	}
	var wait time.Duration // for the line, and on it
	if o.Rate > 0 {
		var ok bool
		if wait, ok = l.line.take(p.Len(), now, o.Rate, l.rule.room); !ok {
			return Decision{Drop: QueueFull}
		}
	}
	if l.loses(chance) {
		return Decision{Drop: Lost}
	}
	if hit(o.Duplicate, chance) {
		d.Copy = true
		d.CopyDelay = l.keep(now, wait+o.delay(chance))
	}
	if hit(o.Corrupt, chance) {
		d.corrupt(o, at, chance)
	}
	if hit(o.Truncate, chance) {
		d.truncate(o, at, chance)
	}
	if d.Jumped = l.jumps(chance); d.Jumped {
		d.Delay = wait
	} else {
		d.Delay = l.keep(now, wait+o.delay(chance))
	}
	return d
}

// hit throws a die. What cannot or must happen draws no number, so that an option
// that is not used changes nothing for the others.
func hit(probability float64, chance *rand.Rand) bool {
	return probability > 0 && (probability >= 1 || chance.Float64() < probability)
}

// loses decides about the loss of one packet.
func (l *Link) loses(chance *rand.Rand) bool {
	if !l.rule.bursts {
		return hit(l.rule.o.Loss, chance)
	}
	g := &l.rule.gilbert
	if l.met {
		if l.bad {
			l.bad = !hit(g.R, chance)
		} else {
			l.bad = hit(g.P, chance)
		}
	}
	l.met = true
	if l.bad {
		return hit(g.Bad, chance)
	}
	return hit(g.Good, chance)
}

// jumps decides whether a packet skips the delay. As in netem at least Gap-1
// packets lie between two that do.
func (l *Link) jumps(chance *rand.Rand) bool {
	o := &l.rule.o
	if o.Reorder == 0 {
		return false
	}
	if l.gap++; l.gap < o.Gap || !hit(o.Reorder, chance) {
		return false
	}
	l.gap = 0
	return true
}

// keep makes a delay longer where the packet would overtake the one before.
func (l *Link) keep(now time.Time, delay time.Duration) time.Duration {
	if !l.rule.o.KeepOrder {
		return delay
	}
	delay = max(delay, l.last.Sub(now))
	l.last = now.Add(delay)
	return delay
}
