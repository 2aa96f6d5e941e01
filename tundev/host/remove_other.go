//go:build !linux

package host

import "net/netip"

// DelAddr fails.
func (h *Handle) DelAddr(name string, a Addr) error { return missing("remove address", name) }

// HasRoute fails.
func (h *Handle) HasRoute(name string, dst netip.Prefix) (bool, error) {
	return false, missing("look up route", name)
}

// DelRoute fails.
func (h *Handle) DelRoute(name string, dst netip.Prefix) error { return missing("remove route", name) }
