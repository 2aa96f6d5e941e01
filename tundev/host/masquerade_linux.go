package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Masquerade makes what comes from the devices leave by any other one with this host's
// address, of both families, in an nftables table of its own. A table of that name is
// replaced. Whether packets are forwarded at all is a sysctl: see [Forward].
//
// The table is in the network namespace of the calling thread. [Handle.Undo] of a
// [KindMasquerade] takes it back.
func Masquerade(table string, devices []string) error {
	const op = "masquerade"
	c, err := nftables.New()
	if err != nil {
		return fail(op, "", err, nil)
	}
	t := &nftables.Table{Family: nftables.TableFamilyINet, Name: table}
	// Made, so that it is there, and deleted, so that it is empty: one transaction.
	c.AddTable(t)
	c.DelTable(t)
	c.AddTable(t)
	chain := c.AddChain(&nftables.Chain{
		Name: "postrouting", Table: t, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	for _, in := range devices {
		match := is(expr.MetaKeyIIFNAME, expr.CmpOpEq, in)
		for _, out := range devices { // between two of them the far side's own address is right
			match = append(match, is(expr.MetaKeyOIFNAME, expr.CmpOpNeq, out)...)
		}
		c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: append(match, &expr.Counter{}, &expr.Masq{})})
	}
	return fail(op, "", c.Flush(), fixes{
		unix.EOPNOTSUPP: "the kernel lacks nf_tables with NAT (CONFIG_NFT_MASQ, Linux 5.2): sudo modprobe nft_masq",
		unix.ENOENT:     "the kernel lacks nf_tables with NAT (CONFIG_NFT_MASQ, Linux 5.2): sudo modprobe nft_masq",
	})
}

// is compares the name of a device, which the kernel has as 16 bytes.
func is(key expr.MetaKey, op expr.CmpOp, name string) []expr.Any {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Register: 1, Op: op, Data: b}}
}

func unmasquerade(table string) error {
	const op = "undo masquerade"
	c, err := nftables.New()
	if err != nil {
		return fail(op, "", err, nil)
	}
	c.DelTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: table})
	if err := c.Flush(); !errors.Is(err, unix.ENOENT) {
		return fail(op, "", err, nil)
	}
	return nil
}

// Forwarding are the sysctls that forwarding packets of a family changes, as they are
// now, in the order in which to note them for [Handle.Undo]; and whether this host
// forwards already, so that there is nothing to do. Without IPv6 in the kernel it is so.
//
// The switch for all devices is not one switch: the kernel sets it for each device, and
// lets or does not let this host take redirects. And a host that forwards IPv6 forgets
// what routers tell it, its default route among it, unless accept_ra is 2.
func Forwarding(v6 bool) (list []Change, on bool, err error) {
	base := "net/ipv4/conf"
	if v6 {
		base = "net/ipv6/conf"
	}
	note := func(path string) (string, error) {
		value, err := getSysctl(path)
		if err == nil {
			list = append(list, Change{Kind: KindSysctl, Path: path, Text: value})
		}
		return value, err
	}
	devices, err := os.ReadDir(filepath.Join(sysctls, base))
	if err != nil {
		if v6 && errors.Is(err, os.ErrNotExist) {
			return nil, true, nil
		}
		return nil, false, err
	}
	if !v6 {
		if _, err := note(base + "/all/accept_redirects"); err != nil {
			return nil, false, err
		}
	}
	for _, d := range devices {
		dir := base + "/" + d.Name()
		if d.Name() == "all" {
			continue
		}
		forwards, err := note(dir + "/forwarding")
		if err == nil && v6 && forwards == "0" {
			if ra, raErr := getSysctl(dir + "/accept_ra"); raErr == nil && ra == "1" {
				_, err = note(dir + "/accept_ra")
			}
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) { // a device may go meanwhile
			return nil, false, err
		}
	}
	all, err := note(base + "/all/forwarding") // the last to be changed and the first to be put back
	return list, all == "1", err
}

// Forward has this host forward, after [Forwarding] has said what that changes.
func Forward(list []Change) error {
	for _, c := range list {
		switch {
		case strings.HasSuffix(c.Path, "/accept_ra"):
			if err := putSysctl(c.Path, "2"); err != nil {
				return err
			}
		case strings.HasSuffix(c.Path, "/all/forwarding"):
			if err := putSysctl(c.Path, "1"); err != nil {
				return err
			}
		}
	}
	return nil
}
