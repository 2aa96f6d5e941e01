package keeper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tunscript/tunscript/tundev/host"
)

// lay makes what the plan says about the host.
func (s *server) lay() error {
	dir, err := s.begun() // two must not find the same table free
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := s.layLoop(true); err != nil {
		return err
	}
	if !s.plan.Masquerade {
		return nil
	}
	v6 := false
	for i, c := range s.plan.Devices {
		if s.names[i] == "" {
			return errors.New("keeper: masquerading comes after the devices")
		}
		for _, a := range c.Address {
			v6 = v6 || a.Addr().Is6()
		}
	}
	if err := s.forward(v6); err != nil {
		return err
	}
	table := fmt.Sprintf("tunscript-%d", os.Getpid())
	if err := s.note(host.Change{Kind: host.KindMasquerade, Text: table}); err != nil {
		return err
	}
	return host.Masquerade(table, s.names)
}

// layLoop lays the loop of the plan, or unless first lays again what is missing.
func (s *server) layLoop(first bool) error {
	if len(s.plan.Loop) == 0 || !first && s.table == 0 {
		return nil
	}
	a, b := s.names[s.plan.Loop[0]], s.names[s.plan.Loop[1]]
	h, err := host.Open()
	if err != nil {
		return err
	}
	defer h.Close()
	if first {
		table, err := h.FreeTable()
		if err != nil {
			return err
		}
		if err := s.note(host.Change{Kind: host.KindLoop, Number: table}); err != nil {
			return err
		}
		s.table = table
	} else if _, err := h.Link(a); errors.Is(err, host.ErrNoLink) {
		return nil // both are gone, and it is the other one that came back first
	} else if _, err := h.Link(b); errors.Is(err, host.ErrNoLink) {
		return nil
	}
	return h.Loop(a, b, s.table)
}

// forward has this host forward. What another keeper has switched on is noted as that
// one found it: whoever ends last puts it back.
func (s *server) forward(v6 bool) error {
	_, living, err := journals(filepath.Dir(s.journal.path), s.journal.path)
	if err != nil {
		return err
	}
	for _, six := range []bool{false, true} {
		if six && !v6 {
			continue
		}
		list, on, err := host.Forwarding(six)
		if err != nil {
			return err
		}
		if on && (len(list) == 0 || !wanted(list[len(list)-1], living)) {
			continue
		}
		for _, c := range list {
			if old, ok := found(c, living); ok {
				c.Text = old
			} else if on {
				continue // the other one has not changed it either
			}
			if err := s.note(c); err != nil {
				return err
			}
		}
		if err := host.Forward(list); err != nil {
			return err
		}
	}
	return nil
}
