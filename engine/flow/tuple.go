package flow

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"github.com/tunscript/tunscript/engine/packet"
)

// An addr is an address in two words, so that it is hashed and compared without
// a loop. IPv4's stands in the low half of the second.
type addr [2]uint64

// kind says what the ports of a tuple are.
type kind uint8

const (
	plain   kind = iota // there are none
	ports               // ports
	asks                // an echo request: sport is its id
	answers             // an echo reply: dport is its id
	pair                // no packets of one, but who looks for whose hardware address
)

// A tuple is what packets of one direction have in common: a flow's key.
type tuple struct {
	src, dst     addr
	sport, dport uint16
	proto        uint8
	kind         kind
	v6           bool
}

// reverse is the tuple of what answers.
func (t tuple) reverse() tuple {
	t.src, t.dst = t.dst, t.src
	t.sport, t.dport = t.dport, t.sport
	switch t.kind {
	case asks:
		t.kind = answers
	case answers:
		t.kind = asks
	}
	return t
}

// seeds make the hash this table's own: who sends packets cannot choose ones that
// fall into one bucket.
type seeds [6]uint64

// hash multiplies pairs of words to 128 bits and folds them, as wyhash does.
func (t *tuple) hash(s *seeds) uint64 {
	rest := uint64(t.sport)<<48 | uint64(t.dport)<<32 | uint64(t.proto)<<8 | uint64(t.kind)
	h := fold(t.src[0]^s[0], t.src[1]^s[1]) ^ fold(t.dst[0]^s[2], t.dst[1]^s[3])
	return fold(h^s[4], rest^s[5])
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func toAddr(a netip.Addr) addr {
	if a.Is4() {
		b := a.As4()
		return addr{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return addr{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
}

func (a addr) netip(v6 bool) netip.Addr {
	if !v6 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(a[1]))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], a[0])
	binary.BigEndian.PutUint64(b[8:], a[1])
	return netip.AddrFrom16(b)
}

// A subject is what the packet in hand is to its flow.
type subject uint8

const (
	none   subject = iota // it has no flow
	whole                 // an ordinary packet of it
	first                 // the first fragment of one
	later                 // another fragment, without ports
	report                // an ICMP error about one
)

// read says what p is to its flow, and how a packet that travels with it comes
// in: the tuple of an ICMP error is that of an answer to what it quotes, and a
// later fragment's has no ports.
func (t *Table) read(p *packet.Packet) (k tuple, s subject) {
	if p == nil {
		return k, none
	}
	l := p.Layout()
	if l.Version == 0 {
		return k, none
	}
	b := p.Frame()
	k.addresses(b, l)
	if l.FragOff > 0 {
		return k, later
	}
	if l.L4 == 0 {
		return k, none // cut short
	}
	if isError(b, l) {
		return t.quoted(p)
	}
	if !k.transport(b, l.L4, l.End) {
		return k, none
	}
	if l.MoreFrags {
		return k, first
	}
	return k, whole
}

// addresses reads addresses and protocol; l says that an IP header is there.
func (k *tuple) addresses(b []byte, l *packet.Layout) {
	h := b[l.L3:]
	k.proto, k.v6 = l.Proto, l.Version == 6
	if !k.v6 {
		k.src[1] = uint64(binary.BigEndian.Uint32(h[12:]))
		k.dst[1] = uint64(binary.BigEndian.Uint32(h[16:]))
		return
	}
	k.src = addr{binary.BigEndian.Uint64(h[8:]), binary.BigEndian.Uint64(h[16:])}
	k.dst = addr{binary.BigEndian.Uint64(h[24:]), binary.BigEndian.Uint64(h[32:])}
}

// transport reads ports, or the id of an echo, from the transport header at at;
// false if they are not all there.
func (k *tuple) transport(b []byte, at, end int) bool {
	switch k.proto {
	case packet.ProtoTCP, packet.ProtoUDP, packet.ProtoSCTP:
		if at+4 > end {
			return false
		}
		k.kind = ports
		k.sport, k.dport = binary.BigEndian.Uint16(b[at:]), binary.BigEndian.Uint16(b[at+2:])
	case packet.ProtoICMP, packet.ProtoICMPv6:
		if k.v6 != (k.proto == packet.ProtoICMPv6) {
			return true
		}
		if at+8 > end {
			return false
		}
		id := binary.BigEndian.Uint16(b[at+4:])
		switch typ := b[at]; {
		case typ == packet.EchoRequest && !k.v6, typ == packet.EchoRequest6 && k.v6:
			k.kind, k.sport = asks, id
		case typ == packet.EchoReply && !k.v6, typ == packet.EchoReply6 && k.v6:
			k.kind, k.dport = answers, id
		}
	}
	return true
}

// isError reports an ICMP or ICMPv6 error, which quotes a packet (RFC 1122 section
// 3.2.2; RFC 4443 section 2.1: the types below 128).
func isError(b []byte, l *packet.Layout) bool {
	if l.Version == 6 {
		return l.Proto == packet.ProtoICMPv6 && b[l.L4] < 128
	}
	if l.Proto != packet.ProtoICMP {
		return false
	}
	switch b[l.L4] {
	case packet.DestUnreach, packet.SourceQuench, packet.Redirect, packet.TimeExceeded, packet.ParamProblem:
		return true
	}
	return false
}
