package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/tunscript/tunscript/tundev/host"
)

// checkRoute: the way to what should be behind the device leads elsewhere, or nowhere.
// While the device is down there are no routes through it, and those that addresses make
// come with them.
func checkRoute(v *view) ([]Finding, error) {
	if !v.there() || !v.link.Up || v.link.Master != 0 || len(lacking(v)) > 0 || len(swapped(v)) > 0 {
		return nil, nil
	}
	var found []Finding
	lack := func(dst netip.Prefix, problem string) {
		if slices.ContainsFunc(found, func(f Finding) bool { return f.Problem == problem }) {
			return
		}
		found = append(found, v.finding("no route", problem,
			func(h *host.Handle) error { return h.ReplaceRoute(v.link.Name, dst) }, fmt.Sprintf("ip route replace %s dev %s", dst, v.name)))
	}
	for _, to := range v.targets() {
		way, err := v.h.Way(to)
		if err != nil {
			return nil, err
		}
		switch {
		case way.Local, way.Device == v.name:
		case way.Device == "":
			lack(single(to), fmt.Sprintf("no route leads to %s", to))
		default:
			lack(single(to), fmt.Sprintf("packets to %s leave by %s", to, way.Device))
		}
	}
	networks := slices.Clone(v.want.Route)
	for _, a := range v.link.Addrs {
		if !a.Prefix.IsSingleIP() && global(a) {
			networks = append(networks, a.Prefix.Masked())
		}
	}
	for _, n := range networks {
		has, err := v.h.HasRoute(v.name, n)
		if err != nil {
			return nil, err
		}
		if !has {
			lack(n, fmt.Sprintf("no route leads to %s through it", n))
		}
	}
	return found, nil
}
