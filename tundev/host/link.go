package host

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Link is what the kernel says about a network device at one moment. It is a copy;
// nothing in it changes later.
type Link struct {
	Name  string
	Index int
	// Kind is "tun", "tap", or the kernel's word for what else it is ("veth",
	// "bridge"); "device" for hardware and the loopback.
	Kind string
	// MTU is in bytes, without the Ethernet header.
	MTU int
	// TxQueueLen is how many packets wait for a reader before the kernel drops. On
	// TUN and TAP it is the only buffer there is.
	TxQueueLen int
	// MAC is nil where the link has none, as on TUN.
	MAC net.HardwareAddr
	// Addrs are in the kernel's order, IPv4 first.
	Addrs []Addr
	// Up is the administrator's wish (IFF_UP); Running also has a carrier, and the
	// kernel has noticed. Carrier comes at once: on TUN and TAP, that a program has
	// attached.
	Up, Running, Carrier bool
	// Flags are what ip(8) prints between < and >, in its words and order.
	Flags []string
	// Master is the index of the bridge or bond that the link is a port of; 0: none.
	Master int
	// Counters since the device was made. What is received is what a program wrote.
	Received, Sent, SentDropped uint64
	// Persistent: the device outlives the descriptors on it. TUN and TAP only.
	Persistent bool
	// Queues is the number of attached descriptors of a multi-queue TUN or TAP
	// device; 0 elsewhere, and on a single-queue device.
	Queues int
	// MultiQueue: several descriptors may be attached at once. TUN and TAP only.
	MultiQueue bool
	// PI and VNet are what stands before each packet, as who attached last, or first to
	// a device with several queues, has asked for. TUN and TAP only.
	PI, VNet bool
	// Owner and Group may attach to a TUN or TAP device without CAP_NET_ADMIN; -1 is
	// that there is none.
	Owner, Group int
}

// Addr is an address on a link.
type Addr struct {
	// Prefix is the host's own address with the length of its network:
	// 192.0.2.1/24. The network becomes a route through the link.
	Prefix netip.Prefix
	// Peer is the other end of a point-to-point address, or the zero Addr. It needs
	// a Prefix of one address (/32, /128), and gets the route that the network would
	// get: 192.0.2.1/32 with peer 192.0.2.2 routes 192.0.2.2 through the link. A
	// peer inside a longer network needs no route of its own; [Handle.AddAddr]
	// leaves it out.
	Peer netip.Addr
	// NoDAD makes an IPv6 address usable at once, without duplicate address
	// detection. A TUN device never does it; on a TAP device it takes a second, in
	// which nothing can be bound to the address.
	NoDAD bool
}

// Pair joins each address of one host (/32, /128) with the peer whose turn it is: the
// first such IPv4 address gets the first IPv4 peer, and so on. An address with a network
// needs none: its peers are in the network.
func Pair(address []netip.Prefix, peer []netip.Addr) []Addr {
	peer = slices.Clone(peer)
	list := make([]Addr, 0, len(address))
	for _, p := range address {
		a := Addr{Prefix: p}
		if p.IsSingleIP() {
			i := slices.IndexFunc(peer, func(to netip.Addr) bool { return to.Is4() == p.Addr().Is4() })
			if i >= 0 {
				a.Peer = peer[i]
				peer = slices.Delete(peer, i, i+1)
			}
		}
		list = append(list, a)
	}
	return list
}

// String is as ip(8) takes it: "192.0.2.1/24" or "192.0.2.1 peer 192.0.2.2/32".
func (a Addr) String() string {
	if !a.Peer.IsValid() {
		return a.Prefix.String()
	}
	return fmt.Sprintf("%s peer %s/%d", a.Prefix.Addr(), a.Peer, a.Peer.BitLen())
}

// kernel is the address as the kernel wants it: the peer only where it is more than
// a member of the network. It checks what the kernel would take without a word and
// understand differently.
func (a Addr) kernel() (Addr, string) {
	p := a.Prefix
	switch {
	case !p.IsValid():
		return a, "an address has the form 192.0.2.1/24"
	case p.Addr().Is4In6() || a.Peer.Is4In6():
		return a, "write an IPv4 address as 192.0.2.1, not in an IPv6 one"
	case p.Addr().Zone() != "" || a.Peer.Zone() != "":
		return a, "leave out the zone: the device is known"
	case p.Addr().IsUnspecified() || p.Addr().IsMulticast():
		return a, "this is not the address of one host"
	case !a.Peer.IsValid():
		return a, ""
	case a.Peer.Is4() != p.Addr().Is4():
		return a, "address and peer must both be IPv4 or both IPv6"
	case a.Peer == p.Addr():
		return a, "the peer is the other end: give it an address of its own"
	case p.IsSingleIP():
		return a, ""
	case p.Contains(a.Peer):
		a.Peer = netip.Addr{}
		return a, ""
	}
	return a, fmt.Sprintf("the peer is outside of the network: write %s/%d, or a peer in %s",
		p.Addr(), p.Addr().BitLen(), p.Masked())
}
