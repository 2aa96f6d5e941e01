package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The families that have a rule each.
var families = []int{netlink.FAMILY_V4, netlink.FAMILY_V6}

// firstTable is where the search for a free routing table begins: far from those that
// people number by hand.
const firstTable = 29813

// FreeTable is the number of a routing table that no rule and no route uses, for
// [Handle.Loop].
func (h *Handle) FreeTable() (int, error) {
	used := map[int]bool{}
	for _, family := range families {
		rules, err := h.rules(family)
		if err != nil {
			return 0, err
		}
		for _, r := range rules {
			used[r.Table] = true
		}
		routes, err := h.nl.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		if err != nil && !errors.Is(err, unix.EAFNOSUPPORT) {
			return 0, fail("look up routes", "", err, nil)
		}
		for _, r := range routes {
			used[r.Table] = true
		}
	}
	n := firstTable
	for used[n] {
		n++
	}
	return n, nil
}

// Loop makes each of two devices the way to the other's addresses, though all of them
// are this host's own: what is sent here to an address of b leaves by a, and the other
// way round, for every family that both have an address of. Who reads the devices must
// forward between them.
//
// It is two routes an address in the table, and a rule of each family in front of all
// others that sends what is sent here, and nothing that comes in, to that table. Table
// local keeps its place behind it, so binding and listening are as ever; and nothing
// else has to be put back than the rule: should it be left behind, the routes have gone
// with the devices, and a rule for an empty table does nothing.
//
// Doing it again lays what is missing, such as the routes of a device that was made
// anew. [Handle.Undo] of a [KindLoop] takes it back.
func (h *Handle) Loop(a, b string, table int) error {
	var links [2]Link
	for i, name := range []string{a, b} {
		var err error
		if links[i], err = h.Link(name); err != nil {
			return err
		}
	}
	laid := false
	for _, family := range families {
		from, to := links[0].source(family), links[1].source(family)
		if !from.IsValid() || !to.IsValid() {
			continue
		}
		for i := range links {
			if err := h.lead(links[i], links[1-i], family, table); err != nil {
				return err
			}
		}
		if err := h.lookFirst(family, table); err != nil {
			return err
		}
		laid = true
	}
	if !laid {
		return &Error{Op: "loop", Device: a, Err: unix.EADDRNOTAVAIL,
			Fix: fmt.Sprintf("give it and %s an address each, both IPv4 or both IPv6", b)}
	}
	return nil
}

// source is the address that packets to the other device come from.
func (l Link) source(family int) netip.Addr {
	for _, a := range l.Addrs {
		if ip := a.Prefix.Addr(); ip.Is4() == (family == netlink.FAMILY_V4) && !ip.IsLinkLocalUnicast() {
			return ip
		}
	}
	return netip.Addr{}
}

// lead makes out the way to the addresses of far.
func (h *Handle) lead(out, far Link, family, table int) error {
	src := out.source(family)
	for _, a := range far.Addrs {
		ip := a.Prefix.Addr()
		if ip.Is4() != (family == netlink.FAMILY_V4) || ip.IsLinkLocalUnicast() {
			continue
		}
		r := &netlink.Route{
			LinkIndex: out.Index, Table: table, Scope: netlink.SCOPE_LINK, Src: net.IP(src.AsSlice()),
			Dst: ipnet(netip.PrefixFrom(ip, ip.BitLen())),
		}
		if err := h.nl.RouteReplace(r); err != nil {
			return fail(fmt.Sprintf("loop: add route %s table %d", ip, table), out.Name, err, fixes{
				unix.ENETDOWN: "bring it up first: ip link set " + out.Name + " up",
			})
		}
	}
	return nil
}

// loopRule is the one of a loop: it concerns packets made on this host ("iif lo").
func loopRule(family, table int) *netlink.Rule {
	r := netlink.NewRule()
	r.Family, r.Priority, r.IifName, r.Table = family, 0, "lo", table
	return r
}

func localRule(family, pref int) *netlink.Rule {
	r := netlink.NewRule()
	r.Family, r.Priority, r.Table = family, pref, unix.RT_TABLE_LOCAL
	return r
}

func (h *Handle) rules(family int) (list []netlink.Rule, err error) {
	if err := h.usable(); err != nil {
		return nil, fail("look up rules", "", err, nil)
	}
	for range 5 { // a dump during which somebody changed a rule is asked for again
		list, err = h.nl.RuleList(family)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if errors.Is(err, unix.EAFNOSUPPORT) {
		return nil, nil // a kernel without IPv6
	}
	return list, fail("look up rules", "", err, nil)
}

// lookFirst puts the rule of a loop in front of that of table local. Both have
// preference 0, the least there is; of rules with the same the older goes first. So
// that of table local is made anew, behind ours and still before everybody else's, with
// a stand-in meanwhile: without one, the host would lose its own addresses.
func (h *Handle) lookFirst(family, table int) error {
	rules, err := h.rules(family)
	if err != nil {
		return err
	}
	ours := slices.IndexFunc(rules, func(r netlink.Rule) bool { return r.Table == table && r.IifName == "lo" })
	local := slices.IndexFunc(rules, func(r netlink.Rule) bool {
		return r.Table == unix.RT_TABLE_LOCAL && r.Priority <= 0 // the kernel leaves a 0 out, which reads as -1
	})
	op := fmt.Sprintf("loop: add rule of table %d", table)
	if ours < 0 {
		if err := h.nl.RuleAdd(loopRule(family, table)); err != nil {
			return fail(op, "", err, nil)
		}
	}
	if local < 0 || ours >= 0 && ours < local {
		return nil // it is as it should be, or somebody has put table local further back
	}
	const standIn = 1
	add := func(pref int) error {
		if err := h.nl.RuleAdd(localRule(family, pref)); !errors.Is(err, unix.EEXIST) {
			return err
		}
		return nil
	}
	if err := add(standIn); err != nil {
		return fail(op, "", err, nil)
	}
	if err := h.nl.RuleDel(localRule(family, 0)); err != nil {
		return fail(op, "", err, nil)
	}
	if err := add(0); err != nil {
		return fail(op, "", err, nil) // the stand-in stays
	}
	return fail(op, "", h.nl.RuleDel(localRule(family, standIn)), nil)
}

// unloop takes a loop back: its rules, and the routes of devices that are still there.
func (h *Handle) unloop(table int) error {
	if table <= unix.RT_TABLE_LOCAL { // the kernel has 253 to 255, people those below
		return &Error{Op: fmt.Sprintf("undo loop: table %d", table), Err: unix.EINVAL, Fix: "this is not the table of a loop"}
	}
	if err := h.usable(); err != nil {
		return fail("undo loop", "", err, nil)
	}
	var errs []error
	for _, family := range families {
		for {
			err := h.nl.RuleDel(loopRule(family, table))
			if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EAFNOSUPPORT) {
				break
			}
			if err != nil {
				errs = append(errs, fail("undo loop", "", err, nil))
				break
			}
		}
		routes, err := h.nl.RouteListFiltered(family, &netlink.Route{Table: table}, netlink.RT_FILTER_TABLE)
		if err != nil && !errors.Is(err, unix.EAFNOSUPPORT) {
			errs = append(errs, fail("undo loop", "", err, nil))
		}
		for _, r := range routes {
			if err := h.nl.RouteDel(&r); err != nil && !errors.Is(err, unix.ESRCH) {
				errs = append(errs, fail("undo loop", "", err, nil))
			}
		}
	}
	return errors.Join(errs...)
}
