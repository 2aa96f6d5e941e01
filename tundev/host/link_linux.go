package host

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Link looks at the device called name.
func (h *Handle) Link(name string) (Link, error) {
	if err := h.usable(); err != nil {
		return Link{}, fail("look up", name, err, nil)
	}
	l, err := h.nl.LinkByName(name)
	if err != nil {
		return Link{}, fail("look up", name, err, nil)
	}
	return h.link(l.Attrs().Index, name)
}

// LinkAt looks at the device with that index, whatever it is called by now.
func (h *Handle) LinkAt(index int) (Link, error) {
	return h.link(index, fmt.Sprintf("link %d", index))
}

func (h *Handle) link(index int, name string) (Link, error) {
	list, err := h.links(index)
	if err == nil && len(list) == 0 {
		err = unix.ENODEV
	}
	if err != nil {
		return Link{}, fail("look up", name, err, nil)
	}
	return list[0], nil
}

// Links looks at every device of the namespace, in the order they were made.
func (h *Handle) Links() ([]Link, error) {
	list, err := h.links(0)
	slices.SortFunc(list, func(a, b Link) int { return cmp.Compare(a.Index, b.Index) })
	return list, fail("list devices", "", err, nil)
}

// links asks for one device, or with index 0 for all.
func (h *Handle) links(index int) ([]Link, error) {
	msgs, err := h.ask(index)
	if err != nil {
		return nil, err
	}
	var list []Link
	for _, m := range msgs {
		l, err := netlink.LinkDeserialize(nil, m)
		if err != nil {
			return nil, err
		}
		addrs, err := h.addrs(l)
		if err != nil {
			return nil, err
		}
		list = append(list, describe(l, m, addrs))
	}
	return list, nil
}

// ask sends RTM_GETLINK by itself: what the library makes of the answer does not tell a
// device of root's from one of nobody's.
func (h *Handle) ask(index int) (msgs [][]byte, err error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	for range 5 {
		flags := 0
		if index == 0 {
			flags = unix.NLM_F_DUMP
		}
		r := nl.NewNetlinkRequest(unix.RTM_GETLINK, flags)
		r.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: h.raw}}
		info := nl.NewIfInfomsg(unix.AF_UNSPEC)
		info.Index = int32(index)
		r.AddData(info)
		msgs, err = r.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return msgs, err
}

func describe(l netlink.Link, msg []byte, addrs []netlink.Addr) Link {
	a := l.Attrs()
	out := Link{
		Name: a.Name, Index: a.Index, Kind: l.Type(), MTU: a.MTU, TxQueueLen: a.TxQLen,
		Up:      a.RawFlags&unix.IFF_UP != 0,
		Running: a.RawFlags&unix.IFF_RUNNING != 0,
		Carrier: a.RawFlags&unix.IFF_LOWER_UP != 0,
		Flags:   flags(a.RawFlags), Master: a.MasterIndex, Owner: -1, Group: -1,
	}
	if len(a.HardwareAddr) > 0 {
		out.MAC = slices.Clone(a.HardwareAddr)
	}
	if s := a.Statistics; s != nil {
		out.Received, out.Sent, out.SentDropped = s.RxPackets, s.TxPackets, s.TxDropped
	}
	if t, ok := l.(*netlink.Tuntap); ok {
		out.Kind = t.Mode.String()
		out.Persistent = !t.NonPersist
		out.Queues = t.Queues
		out.MultiQueue = t.Flags&netlink.TUNTAP_MULTI_QUEUE != 0
		out.PI = t.Flags&netlink.TUNTAP_NO_PI == 0
		out.VNet = t.Flags&netlink.TUNTAP_VNET_HDR != 0
		out.Owner, out.Group = owners(msg)
	}
	for _, a := range addrs {
		out.Addrs = append(out.Addrs, fromKernel(a))
	}
	return out
}

// owners reads IFLA_TUN_OWNER and IFLA_TUN_GROUP, which are there only where they are
// set: -1 is none.
func owners(msg []byte) (owner, group int) {
	owner, group = -1, -1
	attrs := msg[unix.SizeofIfInfomsg:]
	for _, inner := range []uint16{unix.IFLA_LINKINFO, nl.IFLA_INFO_DATA} {
		list, err := nl.ParseRouteAttr(attrs)
		i := slices.IndexFunc(list, func(a syscall.NetlinkRouteAttr) bool { return a.Attr.Type == inner })
		if err != nil || i < 0 {
			return owner, group
		}
		attrs = list[i].Value
	}
	list, _ := nl.ParseRouteAttr(attrs)
	for _, a := range list {
		switch {
		case len(a.Value) < 4:
		case a.Attr.Type == nl.IFLA_TUN_OWNER:
			owner = int(binary.NativeEndian.Uint32(a.Value))
		case a.Attr.Type == nl.IFLA_TUN_GROUP:
			group = int(binary.NativeEndian.Uint32(a.Value))
		}
	}
	return owner, group
}

// flags are those that ip(8) prints of a device, in its order (ipaddress.c).
func flags(f uint32) (words []string) {
	if f&unix.IFF_UP != 0 && f&unix.IFF_RUNNING == 0 {
		words = append(words, "NO-CARRIER")
	}
	for _, w := range []struct {
		bit  uint32
		word string
	}{
		{unix.IFF_LOOPBACK, "LOOPBACK"}, {unix.IFF_BROADCAST, "BROADCAST"}, {unix.IFF_POINTOPOINT, "POINTOPOINT"},
		{unix.IFF_MULTICAST, "MULTICAST"}, {unix.IFF_NOARP, "NOARP"}, {unix.IFF_ALLMULTI, "ALLMULTI"},
		{unix.IFF_PROMISC, "PROMISC"}, {unix.IFF_MASTER, "MASTER"}, {unix.IFF_SLAVE, "SLAVE"},
		{unix.IFF_UP, "UP"}, {unix.IFF_LOWER_UP, "LOWER_UP"}, {unix.IFF_DORMANT, "DORMANT"},
	} {
		if f&w.bit != 0 {
			words = append(words, w.word)
		}
	}
	return words
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
