//go:build !linux

package host

import (
	"errors"
	"net"
	"net/netip"
)

// Handle is a netlink socket, which only Linux has. Elsewhere [Open] fails.
type Handle struct{}

func missing(op, device string) error {
	return &Error{Op: op, Device: device, Err: errors.ErrUnsupported,
		Fix: "devices need Linux; captures, tests and devices in memory work everywhere"}
}

// Watch hears of changes to links, which only Linux tells of. Elsewhere [OpenWatch] fails.
type Watch struct{}

// OpenWatch fails.
func OpenWatch() (*Watch, error) { return nil, missing("watch devices", "") }

// Next fails.
func (w *Watch) Next() (index int, err error) { return 0, missing("watch devices", "") }

// Close does nothing.
func (w *Watch) Close() error { return nil }

// Open fails.
func Open() (*Handle, error) { return nil, missing("open netlink socket", "") }

// Close does nothing.
func (h *Handle) Close() error { return nil }

// Link fails, as all that follow do.
func (h *Handle) Link(name string) (Link, error) { return Link{}, missing("look up", name) }

// LinkAt fails.
func (h *Handle) LinkAt(index int) (Link, error) { return Link{}, missing("look up", "") }

// SetMTU fails.
func (h *Handle) SetMTU(name string, mtu int) error { return missing("set mtu", name) }

// SetTxQueueLen fails.
func (h *Handle) SetTxQueueLen(name string, packets int) error {
	return missing("set txqueuelen", name)
}

// SetMAC fails.
func (h *Handle) SetMAC(name string, mac net.HardwareAddr) error { return missing("set mac", name) }

// NoLinkLocal fails.
func (h *Handle) NoLinkLocal(name string) error { return missing("set addrgenmode", name) }

// SetUp fails.
func (h *Handle) SetUp(name string) error { return missing("bring up", name) }

// SetDown fails.
func (h *Handle) SetDown(name string) error { return missing("take down", name) }

// Move fails.
func (h *Handle) Move(name string, netns int) error { return missing("move", name) }

// AddAddr fails.
func (h *Handle) AddAddr(name string, a Addr) error { return missing("add address", name) }

// AddRoute fails.
func (h *Handle) AddRoute(name string, dst netip.Prefix) error { return missing("add route", name) }

// Links fails.
func (h *Handle) Links() ([]Link, error) { return nil, missing("list devices", "") }

// Holders fails.
func Holders(name string) ([]Holder, error) { return nil, missing("look who holds it", name) }

// Way fails.
func (h *Handle) Way(dst netip.Addr) (Way, error) { return Way{}, missing("look up the way", "") }

// ReplaceRoute fails.
func (h *Handle) ReplaceRoute(name string, dst netip.Prefix) error {
	return missing("replace route", name)
}

// SetCarrier fails.
func (h *Handle) SetCarrier(name string) error { return missing("give carrier", name) }
