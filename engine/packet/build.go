package packet

import (
	"fmt"
	"net/netip"
)

// A BuildError says which field of which layer keeps a packet from being built.
type BuildError struct {
	Layer string // "ip4", "tcp"; "" for the packet as a whole
	Field string // "src"; "" for the layer as a whole
	Why   string // what is wrong and what would be right
}

func (e *BuildError) Error() string {
	at := e.Layer
	if e.Field != "" {
		at += "." + e.Field
	}
	if at == "" {
		return "packet: " + e.Why
	}
	return "packet: " + at + ": " + e.Why
}

// Build makes a packet of layers, outermost first. Lengths and checksums are
// computed, and what is not set is computed or sensible, as the layers say. The
// errors are *BuildError.
//
// An ICMP error's quote, a tunnel's inner packet and anything else without a
// layer is a Payload.
func Build(layers ...Layer) (*Packet, error) { return (*Pool)(nil).Build(layers...) }

// Build makes a packet as the function Build does, from the pool.
func (pl *Pool) Build(layers ...Layer) (*Packet, error) {
	n := 0
	for _, l := range layers {
		n += layerLen(l)
	}
	if n > MaxLen {
		return nil, &BuildError{"", "", fmt.Sprintf("%d bytes are more than a packet holds: give less payload", n)}
	}
	b := builder{p: pl.Get(n)}
	b.p.link = IP
	for i, l := range layers {
		var next Layer
		if i+1 < len(layers) {
			next = layers[i+1]
		}
		if err := b.add(l, next); err != nil {
			pl.Put(b.p)
			return nil, err
		}
	}
	if err := b.finish(); err != nil {
		pl.Put(b.p)
		return nil, err
	}
	return b.p, nil
}

// layerLen is how many bytes a layer becomes. It and add switch over the types
// instead of calling methods, so that the layers stay on the caller's stack.
func layerLen(l Layer) int {
	switch l := l.(type) {
	case Eth:
		return ethLen
	case VLAN:
		return vlanLen
	case ARP:
		return arpLen
	case IPv4:
		return ip4Len + (len(l.Options)+3)&^3
	case IPv6:
		return ip6Len
	case ICMP:
		return icmpLen
	case ICMPv6:
		return icmpLen + l.room()
	case UDP:
		return udpLen
	case TCP:
		return tcpLen + (len(l.Options)+3)&^3
	case Payload:
		return len(l)
	}
	return 0
}

// A builder is the state between two layers.
type builder struct {
	p    *Packet
	ip   uint8 // version of the IP header that was written
	l3   int   // where it is
	tags int
	last stage
}

// stage is how far a packet has come; layers only lead on.
type stage uint8

const (
	atStart stage = iota
	atEth
	atNet  // an IP header was the last
	atARP  // nothing but a payload follows
	atTail // a transport was the last
)

func (b *builder) add(l, next Layer) error {
	switch l := l.(type) {
	case Eth:
		return b.eth(l, next)
	case VLAN:
		return b.vlan(l, next)
	case ARP:
		return b.arp(l)
	case IPv4:
		return b.ip4(l, next)
	case IPv6:
		return b.ip6(l, next)
	case ICMP:
		return b.icmp(l)
	case ICMPv6:
		return b.icmp6(l, next)
	case UDP:
		return b.udp(l)
	case TCP:
		return b.tcp(l)
	case Payload:
		copy(b.p.extend(len(l)), l)
		b.last = max(b.last, atTail)
		return nil
	}
	return &BuildError{"", "", "a layer is nil: leave it out"}
}

// finish writes the lengths and leaves the checksums to be computed.
func (b *builder) finish() error {
	p := b.p
	if p.Len() == 0 {
		return &BuildError{"", "", "no layers: give at least an IPv4 or IPv6"}
	}
	if b.ip == 0 {
		if err := check(p.frame(), p.link); err != nil {
			return &BuildError{"", "", "the first bytes are no IP header: give an IPv4, IPv6 or Eth first"}
		}
		return nil
	}
	f := p.frame()
	n := len(f) - b.l3
	if b.ip == 4 {
		if n > 65535 {
			return &BuildError{"ip4", "", tooLongWhy(n)}
		}
		put16(f[b.l3+2:], n)
		p.sum3 = due
	} else {
		if n > ip6Len+65535 {
			return &BuildError{"ip6", "", tooLongWhy(n)}
		}
		put16(f[b.l3+4:], n-ip6Len)
	}
	p.touch()
	l := p.Layout()
	if l.transportIs(ProtoUDP) && !l.Fragment() {
		put16(f[l.L4+4:], l.End-l.L4)
	}
	if l.sumAt() > 0 && !l.Fragment() {
		p.sum4 = due
	}
	return nil
}

func tooLongWhy(n int) string {
	return fmt.Sprintf("%d bytes do not fit in one IP packet: give less payload", n)
}

func put16(b []byte, v int) { b[0], b[1] = byte(v>>8), byte(v) }

// protoOf is the protocol number of a layer behind IP, 0 if it has none.
func protoOf(l Layer) uint8 {
	switch l.(type) {
	case ICMP:
		return ProtoICMP
	case ICMPv6:
		return ProtoICMPv6
	case UDP:
		return ProtoUDP
	case TCP:
		return ProtoTCP
	}
	return 0
}

// addrs refuses addresses of an IP header that are not set or of the wrong version.
func addrs(layer string, src, dst netip.Addr, version int) error {
	if err := addr(layer, "src", src, version); err != nil {
		return err
	}
	return addr(layer, "dst", dst, version)
}

func addr(layer, field string, a netip.Addr, version int) error {
	if a.IsValid() && a.Is4() == (version == 4) {
		return nil
	}
	return &BuildError{layer, field, wrongFamily(field, a, version).(*FieldError).Why}
}
