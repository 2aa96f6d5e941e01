package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
)

// checkAddress: it has none, or not those that it should have. The port of a bridge
// needs none.
func checkAddress(v *view) ([]Finding, error) {
	if !v.there() || v.link.Master != 0 || len(swapped(v)) > 0 {
		return nil, nil
	}
	lack := lacking(v)
	if len(lack) == 0 {
		return nil, nil
	}
	problem := "an address is missing, so packets to it are not for this host"
	if !slices.ContainsFunc(v.link.Addrs, global) {
		problem = "it has no address, so nothing leads to it"
	}
	f := v.finding("no address", problem, func(h *host.Handle) error {
		for _, a := range lack {
			if err := h.AddAddr(v.link.Name, a); err != nil {
				return err
			}
		}
		return nil
	})
	for _, a := range lack {
		f.Fix = append(f.Fix, fmt.Sprintf("ip addr add %s dev %s", a, v.name))
	}
	return []Finding{f}, nil
}

// lacking are the addresses that it should have and has not: of one that has none, and
// of which nothing is known, any will do.
func lacking(v *view) (list []host.Addr) {
	for _, a := range host.Pair(v.want.Address, v.want.Peer) {
		has := slices.ContainsFunc(v.link.Addrs, func(b host.Addr) bool { return b.Prefix.Addr() == a.Prefix.Addr() })
		if !has {
			list = append(list, a)
		}
	}
	switch {
	case len(list) > 0, slices.ContainsFunc(v.link.Addrs, global):
		return list
	case v.link.Kind == string(tundev.TAP):
		return []host.Addr{{Prefix: netip.MustParsePrefix("192.0.2.1/24")}}
	}
	return []host.Addr{{Prefix: netip.MustParsePrefix("192.0.2.1/32"), Peer: netip.MustParseAddr("192.0.2.2")}}
}

// global: the kernel's own link-local addresses lead nowhere by themselves.
func global(a host.Addr) bool { return !a.Prefix.Addr().IsLinkLocalUnicast() }
