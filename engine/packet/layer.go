package packet

import "net/netip"

// A Layer is one part of a packet to be built, for [Build]: an [Eth], [VLAN],
// [ARP], [IPv4], [IPv6], [ICMP], [ICMPv6], [UDP], [TCP] or [Payload]. No other
// type can be one.
type Layer interface{ layer() string }

// Eth is an Ethernet header. Type is that of what follows if it is 0.
type Eth struct {
	Dst, Src MAC
	Type     uint16
}

// VLAN is a VLAN tag behind Eth, with ID up to 4095 and Prio up to 7. Type is
// that of what follows if it is 0.
type VLAN struct {
	ID   uint16
	Prio uint8
	DEI  bool // drop eligible
	Type uint16
}

// ARP is an ARP packet behind Eth. Op is ARPRequest if it is 0; addresses that
// are not set are zeros.
type ARP struct {
	Op       uint16
	SHA, THA MAC
	SPA, TPA netip.Addr
}

// IPv4 is an IPv4 header. Src and Dst must be set. A TTL of 0 becomes 64, an ID of
// 0 one drawn at random, and Proto that of what follows. Frag is in bytes, a
// multiple of 8. Options are padded to whole words.
type IPv4 struct {
	Src, Dst netip.Addr
	TTL      uint8
	Proto    uint8
	TOS      uint8
	ID       uint16
	DF, MF   bool
	Frag     int
	Options  []byte
}

// IPv6 is an IPv6 header. Src and Dst must be set. A TTL (hop limit) of 0 becomes
// 64, 255 before neighbor discovery, and Proto that of what follows; only
// SetProto makes it 0, hop-by-hop options.
type IPv6 struct {
	Src, Dst  netip.Addr
	TTL       uint8
	Proto     uint8
	TOS       uint8
	FlowLabel uint32
}

// ICMP is an ICMP header over IPv4. MTU or Gateway, if set, stand where ID and Seq
// would.
type ICMP struct {
	Type, Code uint8
	ID, Seq    uint16
	MTU        uint16
	Gateway    netip.Addr
}

// ICMPv6 is an ICMPv6 header. MTU or Flags, if set, stand where ID and Seq would.
// Target and LLAddr follow in the neighbor discovery messages that have them;
// a zero LLAddr is left out. If neither is set and a Payload follows, that is all
// there is.
type ICMPv6 struct {
	Type, Code uint8
	ID, Seq    uint16
	MTU        uint32
	Flags      uint8
	Target     netip.Addr
	LLAddr     MAC
}

// UDP is a UDP header.
type UDP struct {
	Sport, Dport uint16
}

// TCP is a TCP header. A Window of 0 becomes 65535. Options are raw, padded to
// whole words; [TCPView.Options] sets them by name afterwards.
type TCP struct {
	Sport, Dport uint16
	Seq, Ack     uint32
	Flags        Flags
	Window       uint16
	Urgent       uint16
	Options      []byte
}

// Payload is bytes as they are. Several in a row are joined.
type Payload []byte

func (Eth) layer() string     { return "eth" }
func (VLAN) layer() string    { return "vlan" }
func (ARP) layer() string     { return "arp" }
func (IPv4) layer() string    { return "ip4" }
func (IPv6) layer() string    { return "ip6" }
func (ICMP) layer() string    { return "icmp" }
func (ICMPv6) layer() string  { return "icmp6" }
func (UDP) layer() string     { return "udp" }
func (TCP) layer() string     { return "tcp" }
func (Payload) layer() string { return "payload" }
