package doctor

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strings"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
)

// checkMissing: there is no such device.
func checkMissing(v *view) ([]Finding, error) {
	if v.there() {
		if !isTuntap(v.link) {
			return []Finding{v.finding("missing", "it is no TUN or TAP device", nil, "tunscript dev list")}, nil
		}
		if k := v.want.Kind; k != "" && string(k) != v.link.Kind {
			return []Finding{v.finding("missing", fmt.Sprintf("it is a %s device, and should be %s", v.link.Kind, k), nil, "tunscript dev del "+v.name)}, nil
		}
		return nil, nil
	}
	p := tundev.Persistent{Name: v.name, Kind: cmp.Or(v.want.Kind, tundev.TUN)}
	command := "tunscript dev add " + v.name + " --mode " + string(p.Kind)
	if os.Geteuid() != 0 {
		if u, err := user.Current(); err == nil {
			p.Owner = u.Uid
			command += " --user " + u.Username
		}
	}
	command += list(" --address ", v.want.Address) + list(" --peer ", v.want.Peer) + list(" --route ", v.want.Route)
	if v.want.MTU != 0 {
		command += fmt.Sprintf(" --mtu %d", v.want.MTU)
	}
	s := host.Settings{
		MTU: v.want.MTU, TxQueueLen: tundev.DefaultTxQueueLen, Up: true, Routes: v.want.Route,
		Addrs:       host.Pair(v.want.Address, v.want.Peer),
		NoLinkLocal: !slices.ContainsFunc(v.want.Address, func(a netip.Prefix) bool { return a.Addr().Is6() }),
	}
	problem := "there is no such device; a program that makes its own takes it away when it ends"
	if like := config.Nearest(v.name, v.tuntaps()); like != "" {
		problem = fmt.Sprintf("there is no such device; did you mean %q?", like)
	}
	f := v.finding("missing", problem, func(h *host.Handle) error {
		if _, err := tundev.Create(p); err != nil {
			return err
		}
		return h.Apply(p.Name, s)
	}, command+" --up")
	return []Finding{f}, nil
}

// list is a flag with its values, or nothing.
func list[T fmt.Stringer](flag string, values []T) string {
	var words []string
	for _, v := range values {
		words = append(words, v.String())
	}
	if len(words) == 0 {
		return ""
	}
	return flag + strings.Join(words, ",")
}
