package doctor

import (
	"fmt"
	"net/netip"

	"github.com/tunscript/tunscript/tundev/host"
)

// checkFilter: the kernel drops, without a word, packets that come in by the device
// from an address that it would not send to through it (rp_filter 1), or not at all (2).
func checkFilter(v *view) ([]Finding, error) {
	if !v.there() {
		return nil, nil
	}
	of := "net/ipv4/conf/" + v.name + "/rp_filter"
	const all = "net/ipv4/conf/all/rp_filter"
	mode := max(number(of), number(all)) // the stricter is 1, but the larger counts
	if mode == 0 {
		return nil, nil
	}
	drops := "is 1 (strict), so packets of the script are dropped unless their source is reached through " + v.name
	if mode == 2 {
		drops = "is 2 (loose), so packets of the script are dropped where no route leads back to their source"
	}
	switch from := v.q.From; {
	case from.Is4():
		way, err := v.h.Way(from)
		if err != nil {
			return nil, err
		}
		if way.Local || way.Device == v.name || mode == 2 && way.Device != "" {
			return nil, nil
		}
		return []Finding{v.filter(fmt.Sprintf("rp_filter %s; that of %s is not", drops, from), way.Device != "")}, nil
	case from.IsValid():
		return nil, nil // there is none for IPv6
	}
	way, err := v.h.Way(netip.AddrFrom4([4]byte{203, 0, 113, 254}))
	if err != nil || way.Device == v.name { // whatever it says it is from, the default route is it
		return nil, err
	}
	n := counter("netstat", "TcpExt", "IPReversePathFilter")
	if v.link.Received == 0 || n == 0 {
		if mode == 2 {
			return nil, nil
		}
		f := v.filter("rp_filter "+drops, way.Device != "")
		f.Note = true
		return []Finding{f}, nil
	}
	return []Finding{v.filter(fmt.Sprintf("rp_filter %s; %d packets were, on all devices", drops, n), false)}, nil
}

// filter proposes the mildest setting: loose where some route leads back, else none.
func (v *view) filter(problem string, loose bool) Finding {
	of := "net/ipv4/conf/" + v.name + "/rp_filter"
	if loose && max(number(of), number("net/ipv4/conf/all/rp_filter")) == 1 {
		return v.finding("rp_filter", problem, func(*host.Handle) error { return setNumber(of, 2) }, sysctlCommand(of, 2))
	}
	return v.finding("rp_filter", problem, func(*host.Handle) error {
		if err := setNumber("net/ipv4/conf/all/rp_filter", 0); err != nil {
			return err
		}
		return setNumber(of, 0)
	}, sysctlCommand("net/ipv4/conf/all/rp_filter", 0), sysctlCommand(of, 0))
}
