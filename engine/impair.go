package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/packet"
)

// DefaultHeld is how many packets faults hold where Config.Held is 0.
const DefaultHeld = 1000

// ImpairConfig is a bad link without a program: the faults of devices.
//
// A packet meets a rule once: where it comes in by one of the rule's devices, or
// else, made by a program or come in by another device, where it leaves by one.
// With Direction impair.In or impair.Out it meets it there alone. Several rules
// act one after the other, those of the configuration first.
//
// A packet that is delayed on arrival goes on through the chain when its time has
// come, which is its Time then.
//
// With several workers each has a link of its own: Rate is that of one worker's packets, and
// so of a flow, but not of all of them. An exact link has one worker.
type ImpairConfig struct {
	Devices []string // names; nil: all, of a program's rule all of the program
	impair.Options
}

// An Impairment is a rule that stands.
type Impairment struct {
	scope   *Scope // nil: of the configuration
	rule    *impair.Rule
	devices []int // indexes; nil: all
	order   uint64
	since   time.Time // when it took effect
	places  map[place]*fault
	off     bool
}

type place struct {
	device int
	way    way
}

// Impair makes links bad, from the next packet on; while the program starts, from
// when it takes effect. It ends with the program, and then or by Cancel packets that
// are held go on when their time comes. It fails for unknown devices and for
// options that cannot be: *impair.OptionError.
func (s *Scope) Impair(c ImpairConfig) (*Impairment, error) {
	if s.closed {
		return nil, ErrScopeClosed
	}
	m, err := newImpairment(s.w.e.devices, c)
	if err != nil {
		return nil, err
	}
	if m.devices == nil {
		m.devices = s.devices
	}
	m.scope = s
	s.impairments = append(s.impairments, m)
	if s.attached {
		s.w.impair(m)
	}
	return m, nil
}

// Cancel ends the rule, from the next packet on. Cancelling twice does nothing.
func (m *Impairment) Cancel() {
	if m == nil || m.off || m.scope == nil {
		return
	}
	m.off = true
	is := func(o *Impairment) bool { return o == m }
	m.scope.impairments = slices.DeleteFunc(m.scope.impairments, is)
	if m.order == 0 {
		return // it has not taken effect, and this may be any goroutine
	}
	w := m.scope.w
	w.faults.rules = slices.DeleteFunc(slices.Clone(w.faults.rules), is)
	w.relink()
}

func newImpairment(devices []*device, c ImpairConfig) (*Impairment, error) {
	rule, err := impair.New(c.Options)
	if err != nil {
		return nil, err
	}
	m := &Impairment{rule: rule, places: map[place]*fault{}}
	for _, name := range c.Devices {
		i := slices.IndexFunc(devices, func(d *device) bool { return d.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no device %q: %s", name, names(devices))
		}
		m.devices = append(m.devices, i)
	}
	return m, nil
}

// impairments makes the rules of the configuration.
func (c *Config) impairments(devices []*device) (all []*Impairment, err error) {
	for i, ic := range c.Impair {
		m, err := newImpairment(devices, ic)
		if err != nil {
			return nil, &ConfigError{fmt.Sprintf("impair %d", i+1), err}
		}
		all = append(all, m)
	}
	if c.Held < 0 {
		return nil, &ConfigError{"held", fmt.Errorf("%d packets cannot be held: 0 is %d", c.Held, DefaultHeld)}
	}
	return all, nil
}

// impair lets rules take effect.
func (w *worker) impair(all ...*Impairment) {
	if len(all) == 0 {
		return
	}
	for _, m := range all {
		w.faults.made++
		m.order, m.since = w.faults.made, w.now
		w.faults.rules = append(slices.Clip(w.faults.rules), m)
	}
	w.relink()
}

// covers reports that the rule is about a device.
func (m *Impairment) covers(device int) bool {
	return m.devices == nil || slices.Contains(m.devices, device)
}

// at is the rule at a device, one way; nil if it does not act there.
func (m *Impairment) at(w *worker, device int, wy way) *fault {
	switch d := m.rule.Options().Direction; {
	case !m.covers(device), wy == arriving && d == impair.Out, wy == leaving && d == impair.In:
		return nil
	}
	at := place{device, wy}
	if m.places[at] == nil {
		m.places[at] = w.newFault(m, device, wy)
	}
	return m.places[at]
}

// wants reports whether p is to meet the rule here and now.
func (m *Impairment) wants(wy way, p *packet.Packet, now time.Time) bool {
	if wy == leaving && m.rule.Options().Direction != impair.Out && p.Came() != packet.Made && p.In != nil && m.covers(p.In.Index) {
		return false // it has been here before
	}
	return m.rule.Wants(p, now.Sub(m.since))
}
