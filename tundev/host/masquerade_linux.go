package host

import (
	"errors"

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
