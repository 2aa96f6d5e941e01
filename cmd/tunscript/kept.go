package main

import (
	"log/slog"
	"net/netip"
	"slices"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/tundev/host"
)

// warnKept says of devices that were there before, and so keep their settings, which
// addresses they were to have and have not.
func warnKept(devices []config.Device, log *slog.Logger) {
	h, err := host.Open()
	if err != nil {
		return // nothing to look with is nothing to warn of
	}
	defer h.Close()
	for _, d := range devices {
		if d.Manage || d.Kind != config.TUN && d.Kind != config.TAP {
			continue
		}
		l, err := h.Link(d.Name)
		if err != nil {
			continue
		}
		lacks := slices.DeleteFunc(slices.Clone(d.Address), func(p netip.Prefix) bool {
			return slices.ContainsFunc(l.Addrs, func(a host.Addr) bool { return a.Prefix.Addr() == p.Addr() })
		})
		if len(lacks) > 0 {
			log.Warn("a device that was there before keeps its addresses: ip addr add, or manage = true in a configuration",
				"device", d.Name, "lacks", lacks)
		}
	}
}
