//go:build !linux

package host

// Undo fails.
func (h *Handle) Undo(c Change) error { return missing("undo "+string(c.Kind), c.Device) }

// FreeTable fails.
func (h *Handle) FreeTable() (int, error) { return 0, missing("look up routes", "") }

// Loop fails.
func (h *Handle) Loop(a, b string, table int) error { return missing("loop", a) }

// Masquerade fails.
func Masquerade(table string, devices []string) error { return missing("masquerade", "") }

// Forwarding fails.
func Forwarding(v6 bool) (list []Change, on bool, err error) {
	return nil, false, missing("look up forwarding", "")
}

// Forward fails.
func Forward(list []Change) error { return missing("set forwarding", "") }
