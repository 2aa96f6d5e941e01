package doctor

import (
	"fmt"
	"slices"

	"github.com/tunscript/tunscript/tundev/host"
)

// checkSwapped: what should be the other end's address is this host's, so the kernel
// answers it by itself.
func checkSwapped(v *view) ([]Finding, error) {
	var found []Finding
	for _, a := range swapped(v) {
		right := a
		right.Prefix, right.Peer = single(a.Peer), a.Prefix.Addr()
		found = append(found, v.finding("swapped",
			fmt.Sprintf("address and peer are the wrong way round: %s is this host's own, so the kernel answers it and the device sees nothing", a.Prefix.Addr()),
			func(h *host.Handle) error {
				if err := h.DelAddr(v.link.Name, a); err != nil {
					return err
				}
				return h.AddAddr(v.link.Name, right)
			},
			fmt.Sprintf("ip addr del %s dev %s", a, v.name), fmt.Sprintf("ip addr add %s dev %s", right, v.name)))
	}
	return found, nil
}

// swapped are the addresses of the device whose own part should be the peer's.
func swapped(v *view) (list []host.Addr) {
	for _, a := range v.link.Addrs {
		own := a.Prefix.Addr()
		if a.Peer.IsValid() && (own == v.q.Ping || slices.Contains(v.want.Peer, own)) {
			list = append(list, a)
		}
	}
	return list
}
