package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/tunscript/tunscript/tundev/host"
)

// checkMTU: it differs from what it should be, or is too small for IPv6 (RFC 8200 5),
// of which the kernel then knows nothing on the device.
func checkMTU(v *view) ([]Finding, error) {
	const least6 = 1280
	want, problem := v.want.MTU, ""
	six := slices.ContainsFunc(v.want.Address, func(p netip.Prefix) bool { return p.Addr().Is6() }) || v.q.Ping.Is6()
	switch {
	case !v.there():
	case want != 0 && want != v.link.MTU:
		problem = fmt.Sprintf("its MTU is %d, and should be %d: larger packets than that are cut, or lost", v.link.MTU, want)
		if want > v.link.MTU {
			problem = fmt.Sprintf("its MTU is %d, and should be %d: the kernel cuts packets that need not be", v.link.MTU, want)
		}
	case six && v.link.MTU < least6:
		want = least6
		problem = fmt.Sprintf("its MTU is %d, and IPv6 needs %d: the kernel keeps no IPv6 address on it", v.link.MTU, want)
	}
	if problem == "" {
		return nil, nil
	}
	return []Finding{v.finding("mtu", problem, func(h *host.Handle) error { return h.SetMTU(v.link.Name, want) },
		fmt.Sprintf("ip link set %s mtu %d", v.name, want))}, nil
}
