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
// pass, from the next packet on; "" is nowhere. It counts for all workers, for the others
// soon.
func (s *Scope) Forward(device, out string) error {
	if !s.attached || s.closed {
		return ErrDetached
	}
	i := s.w.e.deviceIndex(device)
	if i < 0 {
		return fmt.Errorf("no device %q: %s", device, s.w.e.deviceNames())
	}
	j := s.w.e.deviceIndex(out)
	if j < 0 && out != "" {
		return fmt.Errorf("no device %q: %s", out, s.w.e.deviceNames())
	}
	s.w.forward(i, j)
	for _, o := range s.w.e.workers {
		if o != s.w {
			o.mail.send(func() { o.forward(i, j) }, o.wake)
		}
	}
	return nil
}

// forward has what comes in by device i leave by device j, nowhere if that is negative.
func (w *worker) forward(i, j int) {
	if w.devices[i].way = nil; j >= 0 {
		w.devices[i].way = w.devices[j].port
	}
}
