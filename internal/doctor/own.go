package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/tunscript/tunscript/tundev/host"
)

// checkOwn: what the script should answer is an address of this host, on whatever
// device, so the kernel answers it.
func checkOwn(v *view) ([]Finding, error) {
	if !v.there() {
		return nil, nil
	}
	var found []Finding
	for _, to := range v.targets() {
		way, err := v.h.Way(to)
		if err != nil {
			return nil, err
		}
		if !way.Local || slices.ContainsFunc(swapped(v), func(a host.Addr) bool { return a.Prefix.Addr() == to }) {
			continue
		}
		problem := fmt.Sprintf("%s is this host's own address: the kernel answers it, and nothing comes to %s", to, v.name)
		on, a, ok := v.owner(to)
		if !ok { // such as all of 127.0.0.0/8
			found = append(found, v.finding("own address", problem, nil, "ip route get "+to.String()))
			continue
		}
		found = append(found, v.finding("own address", problem+"; it is on "+on,
			func(h *host.Handle) error { return h.DelAddr(on, a) }, fmt.Sprintf("ip addr del %s dev %s", a, on)))
	}
	return found, nil
}

// owner finds the device that has an address.
func (v *view) owner(ip netip.Addr) (device string, a host.Addr, ok bool) {
	for _, l := range v.links {
		for _, a := range l.Addrs {
			if a.Prefix.Addr() == ip {
				return l.Name, a, true
			}
		}
	}
	return "", a, false
}

func single(ip netip.Addr) netip.Prefix { return netip.PrefixFrom(ip, ip.BitLen()) }
