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

// Link looks at the device called name.
func (h *Handle) Link(name string) (Link, error) {
	l, err := h.nl.LinkByName(name)
	if err != nil {
		return Link{}, fail("look up", name, err, nil)
	}
	return h.link(l)
}

// LinkAt looks at the device with that index, whatever it is called by now.
func (h *Handle) LinkAt(index int) (Link, error) {
	l, err := h.nl.LinkByIndex(index)
	if err != nil {
		return Link{}, fail("look up", fmt.Sprintf("link %d", index), err, nil)
	}
	return h.link(l)
}

// link is what the library has found, and its addresses.
func (h *Handle) link(l netlink.Link) (Link, error) {
	a := l.Attrs()
	out := Link{
		Name: a.Name, Index: a.Index, Kind: l.Type(), MTU: a.MTU, TxQueueLen: a.TxQLen,
		Up:      a.RawFlags&unix.IFF_UP != 0,
		Running: a.RawFlags&unix.IFF_RUNNING != 0,
	}
	if len(a.HardwareAddr) > 0 {
		out.MAC = slices.Clone(a.HardwareAddr)
	}
	if t, ok := l.(*netlink.Tuntap); ok {
		out.Kind = t.Mode.String()
		out.Persistent = !t.NonPersist
		out.Queues = t.Queues
		out.Owner, out.Group = int(t.Owner), int(t.Group)
	}
	addrs, err := h.addrs(l)
	if err != nil {
		return Link{}, fail("look up", a.Name, err, nil)
	}
	for _, a := range addrs {
		out.Addrs = append(out.Addrs, fromKernel(a))
	}
	return out, nil
}

// addrs lists a link's addresses. A dump during which another address changed comes
// back marked as possibly incomplete; asked again, it is whole.
func (h *Handle) addrs(l netlink.Link) (list []netlink.Addr, err error) {
	for range 5 {
		list, err = h.nl.AddrList(l, netlink.FAMILY_ALL)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return list, err
}

// fromKernel reads an address back. The library gives the own address as a single
// one and the network as the peer's (IFA_LOCAL and IFA_ADDRESS), and no peer where
// the two are the same.
func fromKernel(a netlink.Addr) Addr {
	own := prefix(a.IPNet)
	out := Addr{Prefix: own, NoDAD: a.Flags&unix.IFA_F_NODAD != 0}
	if a.Peer == nil {
		return out
	}
	if peer := prefix(a.Peer); peer.Addr() != own.Addr() {
		out.Peer = peer.Addr()
	}
	return out
}

func prefix(n *net.IPNet) netip.Prefix {
	ip, _ := netip.AddrFromSlice(n.IP)
	bits, size := n.Mask.Size()
	if size == 32 {
		ip = ip.Unmap()
	}
	return netip.PrefixFrom(ip, bits)
}

func ipnet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
