package config

import (
	"fmt"
	"net/netip"
	"slices"
)

// addresses checks the two sides of a device against each other.
func (k *checker) addresses(key string, d *Device) {
	for i, p := range d.Address {
		at := elem(key+".address", i+1)
		if !k.fine(at) {
			continue
		}
		if !k.station(at, p.Addr()) {
			continue
		}
		if slices.ContainsFunc(d.Address[:i], func(q netip.Prefix) bool { return q.Addr() == p.Addr() }) {
			k.wrong(at, "", "%s is in the list twice", p.Addr())
			continue
		}
		k.hostPart(at, p)
	}
	host4 := slices.ContainsFunc(d.Address, func(p netip.Prefix) bool { return p.Addr().Is4() })
	host6 := slices.ContainsFunc(d.Address, func(p netip.Prefix) bool { return p.Addr().Is6() })
	for i, a := range d.Peer {
		at := elem(key+".peer", i+1)
		if !k.fine(at) || !k.station(at, a) {
			continue
		}
		same := slices.ContainsFunc(d.Address, func(p netip.Prefix) bool { return p.Addr() == a })
		switch {
		case slices.Index(d.Peer, a) < i:
			k.wrong(at, "", "%s is in the list twice", a)
		case same:
			k.wrong(at, "give the host and the script one each", "%s is the host's address, too", a)
		case len(d.Address) > 0 && (d.Kind == TUN || d.Kind == TAP) && k.fine(key+".address") &&
			(a.Is4() && !host4 || a.Is6() && !host6):
			k.wrong(at, "add an address", "%s is %s, and the device has no such address", a, family(a))
		}
	}
}

// station reports addresses that no station can have.
func (k *checker) station(key string, a netip.Addr) bool {
	switch {
	case a.IsUnspecified():
		k.wrong(key, "", "%s means no address at all", a)
	case a.IsMulticast():
		k.wrong(key, "", "%s is a multicast address, no station has it as its own", a)
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		k.wrong(key, "", "%s is everybody's address, no station has it as its own", a)
	default:
		return true
	}
	return false
}

// hostPart reports an address that is its network or the broadcast to it. A
// network of two addresses has neither (RFC 3021, RFC 6164).
func (k *checker) hostPart(key string, p netip.Prefix) {
	if p.Bits() >= p.Addr().BitLen()-1 {
		return
	}
	network := p.Masked().Addr()
	switch a := p.Addr(); a {
	case network:
		k.wrong(key, fmt.Sprintf("did you mean \"%s/%d\"?", network.Next(), p.Bits()), "%s is the network, not an address in it", p)
	case broadcast(p):
		k.wrong(key, fmt.Sprintf("did you mean \"%s/%d\"?", a.Prev(), p.Bits()), "%s is the broadcast address of its network", a)
	}
}

// broadcast returns the last address of an IPv4 network. IPv6 has none.
func broadcast(p netip.Prefix) netip.Addr {
	if !p.Addr().Is4() {
		return netip.Addr{}
	}
	b := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// routes checks what the host reaches through a device; of two routes to the
// same network the kernel would keep one.
func (k *checker) routes(key string, device int) {
	routes := k.c.Devices[device].Route
	for i, p := range routes {
		at := elem(key, i+1)
		if !k.fine(at) {
			continue
		}
		if p != p.Masked() {
			k.wrong(at, fmt.Sprintf("did you mean %q, or \"%s/%d\"?", p.Masked(), p.Addr(), p.Addr().BitLen()),
				"%s is an address in a network, not the network", p)
			continue
		}
		if slices.Index(routes, p) < i {
			k.wrong(at, "", "%s is in the list twice", p)
			continue
		}
		for j, other := range k.c.Devices[:device] {
			if slices.Contains(other.Route, p) {
				k.wrong(at, "one device can be the way to it", "%s is a route of %s, too", p, elem("device", j+1))
				break
			}
		}
	}
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}
