//go:build !linux

package host

// Undo fails.
func (h *Handle) Undo(c Change) error { return missing("undo "+string(c.Kind), c.Device) }
