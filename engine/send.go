package engine

import (
	"fmt"

	"github.com/tunscript/tunscript/engine/packet"
)

// Home is where a packet made from nothing leaves: what SetHome says, else the device of
// the packet in hand, else the program's only device. It is nil if there is no packet
// in hand and more than one device.
func (s *Scope) Home() *packet.Port {
	if s.home > 0 {
		return s.w.devices[s.home-1].port
	}
	if s.attached && s.w.hand != nil && s.w.hand.In != nil {
		return s.w.hand.In
	}
	only := -1
	for i := range s.w.e.devices {
		if s.sees(i) {
			if only >= 0 {
				return nil
			}
			only = i
		}
	}
	if only < 0 {
		return nil
	}
	return s.w.devices[only].port
}

// SetHome makes the device of that name the program's Home, whatever is in hand.
func (s *Scope) SetHome(name string) error {
	i := s.w.e.deviceIndex(name)
	if i < 0 {
		return fmt.Errorf("no device %q: %s", name, s.w.e.deviceNames())
	}
	s.home = i + 1
	return nil
}

// SetOut makes the device of that name the packet's way out.
func (s *Scope) SetOut(p *packet.Packet, name string) error {
	if p == nil {
		return errNoPacket
	}
	i := s.w.e.deviceIndex(name)
	if i < 0 {
		return fmt.Errorf("no device %q: %s", name, s.w.e.deviceNames())
	}
	p.Out = s.w.devices[i].port
	return nil
}

// Send sends a packet by its way out (packet.Packet.Out). One made from nothing
// that has none leaves by Home; a received one, or its copy, does not: it is
// ErrNoWayOut. A borrowed packet is copied, any other is taken over. An empty
// packet is nothing. It leaves before what the verdict of the packet in hand
// sends, and no handler sees it.
func (s *Scope) Send(p *packet.Packet) error {
	switch {
	case p == nil:
		return errNoPacket
	case s.closed:
		return ErrScopeClosed
	case !s.attached:
		return ErrDetached
	case p.Len() == 0:
		return nil
	}
	if owner(p.Tag()) == taken {
		s.w.reasons.add(ReasonTaken)
		return ErrTaken
	}
	out := p.Out
	if out == nil && p.In == nil {
		out = s.Home()
	}
	if out == nil {
		return ErrNoWayOut
	}
	if owner(p.Tag()) == borrowed {
		p = p.Clone() // whose own way out stays what it was
	}
	p.Out = out
	s.w.send(p)
	return nil
}
