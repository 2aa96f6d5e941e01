package engine

import (
	"cmp"
	"math/rand/v2"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// A Flow is a flow as a program sees it by one packet: what is in it, values and
// rules, is the program's own. Package flow says what a flow is and how long it
// lives. A Flow is used on the worker only; when the flow has ended, its methods
// say flow.ErrEnded.
type Flow struct {
	s *Scope
	f flow.Flow
}

// Flow is the flow that p belongs to, which is made if there is none; false for a
// packet that has none, such as ARP, and while the program starts. The packet in
// hand has the flow that it came in with, whatever handlers have made of it.
func (s *Scope) Flow(p *packet.Packet) (Flow, bool) {
	if p == nil || !s.attached || s.closed {
		return Flow{}, false
	}
	w := s.w
	if w.flows.table == nil {
		w.openFlows()
	}
	if s.config.own.owner() == 0 {
		s.config.own.flows.CompareAndSwap(0, w.e.owners.Add(1))
	}
	if p == w.flows.of && w.flows.found {
		if w.over != nil { // it was claimed, and not asked for
			w.flows.f = w.flows.table.Ask(w.flows.f, p)
		}
		return Flow{s, w.flows.f}, true
	}
	f, ok := w.flows.table.Get(p, w.now)
	if p == w.hand && w.undecided() {
		w.flows.of, w.flows.f, w.flows.found = p, f, ok
	}
	return Flow{s, f}, ok
}

// A FlowEnder is a value of a flow that wants to know when the flow has ended, or
// the program that kept it has gone for good. It is told on the worker, in the
// midst of other work: it must not ask for flows.
type FlowEnder interface{ FlowEnded() }

// Dir is the direction of the packet that the Flow was asked for.
func (f Flow) Dir() flow.Dir { return f.f.Dir() }

// Live reports that the flow has not ended.
func (f Flow) Live() bool { return f.f.Live() }

// Same reports that f and g are one flow, in whatever directions.
func (f Flow) Same(g Flow) bool { return f.f.Same(g.f) }

// Value is what the program keeps with the flow, or the one kept whose place it
// took by a Swap; nil if nothing.
func (f Flow) Value() any { return f.f.Value(f.owner()) }

// SetValue has the flow keep v until it ends.
func (f Flow) SetValue(v any) error { return f.f.SetValue(f.owner(), v) }

// Bypass makes a rule about the flow's packets, from the next one on. flow.Pass
// says that this program's handlers are done with the flow; it counts only if the
// packet in hand, if it is the flow's, is in fact forwarded. flow.Drop ends them.
func (f Flow) Bypass(a flow.Action) error {
	defer f.settle()
	f.flush()
	return f.f.Bypass(f.owner(), a)
}

// Rewrite has packets of the flow leave as to says, this one included, and undoes
// it in what answers them. It implies Bypass(flow.Pass), with what that says of
// the packet in hand. Errors are package flow's.
func (f Flow) Rewrite(to flow.Rewrite) error {
	defer f.settle()
	f.flush()
	return f.f.Rewrite(f.owner(), to)
}

func (f Flow) owner() flow.Owner {
	if f.s == nil {
		return 0
	}
	return f.s.config.own.owner()
}

// flush lets the segments leave that came before the one in hand: a rule is not about
// them.
func (f Flow) flush() {
	if f.s != nil {
		f.s.w.supers.walker.Flush()
	}
}

// settle lets a rule count at once that was made without a packet in hand whose
// fate it could share.
func (f Flow) settle() {
	if f.s != nil && !f.s.w.undecided() {
		f.s.w.flows.table.Settle(flow.Flow{}, true, flow.NoWay, flow.NoWay)
	}
}

// flows is the stage of rules, in front of the chain, and what it knows of the
// packet in hand. Until a program asks for a flow there is no table, and all of it
// costs a comparison.
type flows struct {
	table *flow.Table

	of      *packet.Packet // whose flow f is, if found; nil between packets
	f       flow.Flow
	found   bool
	ruled   bool           // there were rules about it when it came
	skipped bool           // by one of them a program has not seen it
	claimed *packet.Packet // that steer has looked up, and nobody since

	held, rewritten, made, expired, evicted, bypassed counter
}

func (w *worker) openFlows() {
	w.flows.table = flow.New(flow.Config{
		Limit:     w.e.part(cmp.Or(w.e.cfg.Flows, flow.DefaultLimit)),
		Directory: w.e.directory, Number: w.index,
		Rand: rand.NewPCG(w.seed, flowSeed),
		Ended: func(v any) {
			if e, ok := v.(FlowEnder); ok {
				e.FlowEnded()
			}
		},
	})
}

// flowSeed keeps what the flow table draws apart from what programs draw.
const flowSeed = 0x666c6f7773

// meet looks up the flow of p, which comes in, and what rules say about it: it
// reports whether p ends here.
func (w *worker) meet(p *packet.Packet) (ends bool) {
	s := &w.flows
	s.of, s.ruled = p, false
	if s.claimed != p {
		s.f, s.found = s.table.Find(p, w.now)
	}
	s.claimed = nil
	if !s.found || !s.f.Ruled() {
		return false
	}
	s.ruled = true
	if s.f.Dropped() {
		s.skipped = true
		return true
	}
	if way := s.f.Way(); way != flow.NoWay {
		p.Out = w.devices[way].port
	}
	return false
}

// passedOver reports that the program of seg is done with the flow of the packet
// in hand.
func (w *worker) passedOver(seg *segment) bool {
	own := seg.scope.config.own.owner()
	if own == 0 || !w.flows.f.Passed(own) {
		return false
	}
	w.flows.skipped = true
	return true
}

// settle tells the table what becomes of p, the packet in hand, by verdict v.
func (w *worker) settle(p *packet.Packet, v Verdict) {
	s := &w.flows
	if s.skipped {
		s.skipped = false
		s.bypassed.add(1)
	}
	if !s.table.Pending() {
		return
	}
	out := flow.NoWay
	if p.Out != nil {
		out = p.Out.Index
	}
	s.table.Settle(s.f, out != flow.NoWay && v.forwards(p), p.In.Index, out)
}

// undecided reports a packet in hand that the chain has not decided about: not one
// that a program has taken, which is its own.
func (w *worker) undecided() bool { return w.hand != nil && owner(w.hand.Tag()) == borrowed }

// part forgets the packet in hand.
func (w *worker) part() {
	w.flows.of, w.flows.f, w.flows.found, w.flows.ruled = nil, flow.Flow{}, false, false
	w.joining = false // if all behind were passed over
}

// rewrite rewrites p, which is about to leave, as the rules of its flow say. What
// a program has made is looked up: it stands in the place of packets that come in,
// so one in the way of a rewritten flow is rewritten, too.
func (w *worker) rewrite(p *packet.Packet) {
	s := &w.flows
	switch {
	case !s.table.Rewriting():
	case p == s.of:
		s.f.Apply(p)
	default:
		if f, ok := s.table.Peek(p); ok {
			f.Apply(p)
		}
	}
}

// forgetFlows takes back what a program that goes for good has in flows.
func (w *worker) forgetFlows(s *Scope) {
	if w.flows.table != nil && s.config.own.owner() != 0 {
		w.flows.table.Forget(s.config.own.owner())
	}
}

// forgetFlowValues drops what a program that starts anew has kept with flows.
func (w *worker) forgetFlowValues(s *Scope) {
	if w.flows.table != nil && s.config.own.owner() != 0 {
		w.flows.table.ForgetValues(s.config.own.owner())
	}
}

func (s *flows) publish() {
	if s.table == nil {
		return
	}
	t := s.table.Stats()
	s.held.n, s.rewritten.n = uint64(t.Held), uint64(t.Rewritten)
	s.made.n, s.expired.n, s.evicted.n = t.Made, t.Expired, t.Evicted
	for _, c := range []*counter{&s.held, &s.rewritten, &s.made, &s.expired, &s.evicted, &s.bypassed} {
		c.publish()
	}
}

func (s *flows) stats() FlowStats {
	return FlowStats{
		Held: s.held.get(), Rewritten: s.rewritten.get(), Made: s.made.get(),
		Expired: s.expired.get(), Evicted: s.evicted.get(), Bypassed: s.bypassed.get(),
	}
}
