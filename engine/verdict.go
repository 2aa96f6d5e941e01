package engine

import (
	"slices"

	"github.com/tunscript/tunscript/engine/packet"
)

// A Verdict is what a handler decides about its packet. The zero Verdict passes.
//
// It is four words long on purpose: with a fifth, a handler call takes 10 ns
// longer.
type Verdict struct {
	kind verdict
	p    *packet.Packet // replace: the one packet
	more any            // replace: []*packet.Packet; drop, hold: Reason; fail: error; take: *Waiting
}

type verdict uint8

const (
	pass verdict = iota
	accept
	drop
	replace
	take // a program has waited for it; the engine's own
	hold // joining has taken it in; the engine's own
	fail
	reply // becomes replace, or drop
)

// Pass goes on to the next handler, and after the last one forwards the packet,
// with whatever was changed.
func Pass() Verdict { return Verdict{} }

// Accept forwards the packet now; later handlers do not see it.
func Accept() Verdict { return Verdict{kind: accept} }

// Drop ends the packet. The reason is what log, counters and captures show; ""
// is allowed. A constant reason costs no allocation.
func Drop(reason Reason) Verdict {
	if reason == "" {
		return Verdict{kind: drop}
	}
	return Verdict{kind: drop, more: reason}
}

// Replace sends these packets instead of the one handled, in order, unseen by
// later handlers. The engine takes them over. The handled packet may be among
// them; without packets, and with empty ones only, it is a drop.
func Replace(ps ...*packet.Packet) Verdict {
	switch len(ps) {
	case 0:
		return Drop(ReasonEmpty)
	case 1:
		return Verdict{kind: replace, p: ps[0]}
	}
	// A copy of our own, so that the caller's argument list need not escape to the heap.
	return Verdict{kind: replace, more: append([]*packet.Packet(nil), ps...)}
}

// Reply is Replace(p.Reply()) of the packet handled. Where nobody asks about the question
// again, the engine turns that round instead of making a second packet.
func Reply() Verdict { return Verdict{kind: reply} }

// Fail says that the handler could not decide. The error is counted and shown,
// and on_error decides about the packet. Fail(nil) passes.
func Fail(err error) Verdict {
	if err == nil {
		return Verdict{}
	}
	return Verdict{kind: fail, more: err}
}

// empty reports a Replace by nothing.
func (v Verdict) empty() bool {
	list, _ := v.more.([]*packet.Packet)
	return isEmpty(v.p) && !slices.ContainsFunc(list, func(p *packet.Packet) bool { return !isEmpty(p) })
}

// forwards reports that the packet decided about is among what leaves.
func (v Verdict) forwards(p *packet.Packet) bool {
	list, _ := v.more.([]*packet.Packet)
	return v.kind <= accept || v.p == p || slices.Contains(list, p)
}

func isEmpty(p *packet.Packet) bool { return p == nil || p.Len() == 0 }

func (v Verdict) reason() Reason {
	r, _ := v.more.(Reason)
	return r
}

// Err is the error of a Fail, nil for every other verdict.
func (v Verdict) Err() error {
	if v.kind != fail {
		return nil
	}
	err, _ := v.more.(error)
	return err
}
