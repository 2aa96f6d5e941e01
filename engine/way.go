package engine

import "fmt"

// Way is the device that packets which come in by device leave by, when they pass; ""
// is nowhere, and what is no device has no way.
func (s *Scope) Way(device string) string {
	i := s.w.e.deviceIndex(device)
	switch {
	case i < 0:
		return ""
	case !s.attached: // on the goroutine of a Swap: what the configuration says
		return s.w.e.devices[i].config.Forward
	case s.w.devices[i].way == nil:
		return ""
	}
	return s.w.devices[i].way.Name
}

// Forward sets the device that packets which come in by device leave by, when they
// pass, from the next packet on; "" is nowhere.
func (s *Scope) Forward(device, out string) error {
	if !s.attached || s.closed {
		return ErrDetached
	}
	i := s.w.e.deviceIndex(device)
	if i < 0 {
		return fmt.Errorf("no device %q: %s", device, s.w.e.deviceNames())
	}
	if out == "" {
		s.w.devices[i].way = nil
		return nil
	}
	j := s.w.e.deviceIndex(out)
	if j < 0 {
		return fmt.Errorf("no device %q: %s", out, s.w.e.deviceNames())
	}
	s.w.devices[i].way = s.w.devices[j].port
	return nil
}
