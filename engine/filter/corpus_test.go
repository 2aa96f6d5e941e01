package filter

import (
	"math/rand/v2"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/packet"
)

// A corpus is made of few addresses, ports and numbers, so that filters over them
// hit often, by gopacket, so that nothing of ours has a hand in it.
type corpus struct {
	t testing.TB
	r *rand.Rand
}

var (
	macs  = []string{"02:00:00:00:00:01", "02:00:00:00:00:02", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01"}
	ips   = []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.1", "198.51.100.200", "203.0.113.9", "255.255.255.255", "224.0.0.1", "0.0.0.0"}
	ip6s  = []string{"2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "ff02::1", "::1", "::ffff:192.0.2.1"}
	ports = []int{22, 53, 80, 81, 443, 5000, 8080, 1023, 1024, 40000, 0, 65535}
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (c *corpus) mac() net.HardwareAddr {
	m, err := net.ParseMAC(pick(c.r, macs))
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// ethernet makes n frames: whole ones, then cut, changed and random ones.
func (c *corpus) ethernet(n int) [][]byte {
	var frames [][]byte
	for len(frames) < n {
		f := c.frame()
		frames = append(frames, f)
		if c.r.IntN(4) == 0 {
			frames = append(frames, f[:1+c.r.IntN(len(f))])
		}
		if c.r.IntN(4) == 0 {
			g := append([]byte(nil), f...)
			for range 1 + c.r.IntN(3) {
				g[c.r.IntN(min(len(g), 60))] = byte(c.r.Uint32())
			}
			frames = append(frames, g)
		}
		if c.r.IntN(10) == 0 { // bytes behind the end of the IP packet, as of a short frame filled up
			frames = append(frames, append(f[:len(f):len(f)], make([]byte, 1+c.r.IntN(46))...))
		}
		if c.r.IntN(20) == 0 {
			g := make([]byte, 1+c.r.IntN(80))
			for i := range g {
				g[i] = byte(c.r.Uint32())
			}
			frames = append(frames, g)
		}
	}
	return frames
}

// round reports a packet that libpcap's own protochain goes round in for ever.
func (c *corpus) round(p *packet.Packet) bool {
	for tags := range uint32(3) {
		for _, six := range []bool{false, true} {
			walk := gen{link: p.Link(), tags: tags}.protochain(six, 255).b.chain
			if _, steps := walk.walk(p, p.Frame()); steps == maxChain {
				return true
			}
		}
	}
	return false
}

// raw makes n packets as a TUN device has them.
func (c *corpus) raw(n int) [][]byte {
	var out [][]byte
	for len(out) < n {
		for _, f := range c.ethernet(100) {
			if ip := inside(f); ip != nil {
				out = append(out, ip)
			}
		}
	}
	return out
}

// inside is the IP packet in a frame, behind tags, or nil.
func inside(f []byte) []byte {
	p := gopacket.NewPacket(f, layers.LayerTypeEthernet, gopacket.NoCopy)
	at := 0
	for _, l := range p.Layers() {
		if t := l.LayerType(); t != layers.LayerTypeEthernet && t != layers.LayerTypeDot1Q {
			break
		}
		at += len(l.LayerContents())
	}
	if f = f[at:]; len(f) > 0 && (f[0]>>4 == 4 || f[0]>>4 == 6) {
		return f
	}
	return nil
}

// frame makes one well-formed frame.
func (c *corpus) frame() []byte {
	r := c.r
	eth := &layers.Ethernet{SrcMAC: c.mac(), DstMAC: c.mac()}
	stack := []gopacket.SerializableLayer{eth}
	types := []*layers.EthernetType{&eth.EthernetType}
	for range []int{0, 0, 0, 0, 0, 1, 1, 2}[r.IntN(8)] {
		tag := &layers.Dot1Q{VLANIdentifier: pick(r, []uint16{5, 100, 200, 300, 4095}), Priority: uint8(r.IntN(8))}
		stack = append(stack, tag)
		*types[len(types)-1] = pick(r, []layers.EthernetType{0x8100, 0x8100, 0x8100, 0x88a8, 0x9100})
		types = append(types, &tag.Type)
	}
	inner := types[len(types)-1]
	switch r.IntN(12) {
	case 0:
		*inner = layers.EthernetTypeARP
		stack = append(stack, c.arp())
	case 1:
		*inner = 0x8035
		stack = append(stack, c.arp())
	case 2: // LLC, or what no filter knows
		*inner = pick(r, []layers.EthernetType{0x88cc, 0x9000, 0x8137, 0x809b, 0x80f3, 0x6001, 0x6002, 0x6003, 0x6004, 0x6007})
		llc := []byte{0xaa, 0xaa, 3, 0, 0, 0, 0x80, 0xf3, 1, 2, 3, 4, 5, 6, 7, 8}
		if r.IntN(2) == 0 {
			*inner = layers.EthernetType(r.IntN(1501))
			sap := pick(r, []byte{0x42, 0x06, 0xe0, 0xf0, 0xfe, 0xff, 0xaa})
			llc[0], llc[1] = sap, sap
			copy(llc[3:], pick(r, []string{"\x00\x00\x00\x80\xf3", "\x08\x00\x07\x80\x9b", "\x00\x00\x00\x81\x37"}))
		}
		stack = append(stack, gopacket.Payload(llc))
	case 3, 4, 5, 6:
		*inner = layers.EthernetTypeIPv6
		stack = append(stack, c.ip6()...)
	default:
		*inner = layers.EthernetTypeIPv4
		stack = append(stack, c.ip4()...)
	}
	return c.bytes(stack)
}

func (c *corpus) bytes(stack []gopacket.SerializableLayer) []byte {
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, stack...); err != nil {
		c.t.Fatal(err)
	}
	return append([]byte(nil), buf.Bytes()...)
}

func (c *corpus) arp() gopacket.SerializableLayer {
	return &layers.ARP{AddrType: 1, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4,
		Operation: uint16(1 + c.r.IntN(4)), SourceHwAddress: c.mac(), DstHwAddress: c.mac(),
		SourceProtAddress: net.ParseIP(pick(c.r, ips)).To4(), DstProtAddress: net.ParseIP(pick(c.r, ips)).To4()}
}

func (c *corpus) ip4() []gopacket.SerializableLayer {
	r := c.r
	ip := &layers.IPv4{Version: 4, TTL: pick(r, []uint8{1, 64, 255}), TOS: uint8(r.IntN(4)), Id: uint16(r.Uint32()),
		SrcIP: net.ParseIP(pick(r, ips)), DstIP: net.ParseIP(pick(r, ips))}
	if r.IntN(4) == 0 {
		ip.Options = []layers.IPv4Option{{OptionType: 7, OptionLength: uint8(3 + 4*r.IntN(3))}}
		ip.Options[0].OptionData = make([]byte, ip.Options[0].OptionLength-2)
	}
	if r.IntN(5) == 0 {
		ip.Flags, ip.FragOffset = pick(r, []layers.IPv4Flag{0, 1, 2}), pick(r, []uint16{0, 1, 185, 0x1fff})
	}
	if r.IntN(12) == 0 {
		ip.Protocol = layers.IPProtocolAH
		return []gopacket.SerializableLayer{ip, gopacket.Payload(authentic(6))}
	}
	proto, rest := c.transport(ip, false)
	ip.Protocol = proto
	return append([]gopacket.SerializableLayer{ip}, rest...)
}

// authentic is an authentication header (RFC 4302) with something behind it.
func authentic(next byte) []byte {
	h := make([]byte, 40)
	h[0], h[1] = next, 4
	return h
}

func (c *corpus) ip6() []gopacket.SerializableLayer {
	r := c.r
	ip := &layers.IPv6{Version: 6, HopLimit: pick(r, []uint8{1, 64, 255}), TrafficClass: uint8(r.IntN(4)),
		SrcIP: net.ParseIP(pick(r, ip6s)), DstIP: net.ParseIP(pick(r, ip6s))}
	proto, rest := c.transport(ip, true)
	out := []gopacket.SerializableLayer{ip}
	// Extension headers, from the last to the first.
	var ext []byte
	next := byte(proto)
	for range []int{0, 0, 0, 1, 1, 2}[r.IntN(6)] {
		kind := pick(r, []byte{0, 43, 44, 51, 60})
		h := make([]byte, 8+8*r.IntN(2))
		switch h[0] = next; kind {
		case 44:
			h = h[:8]
			h[3] = pick(r, []byte{0, 1, 8})
		case 51:
			h = append(h[:0], authentic(next)[:24]...)
		default:
			h[1] = byte(len(h)/8 - 1)
		}
		ext, next = append(h, ext...), kind
	}
	ip.NextHeader = layers.IPProtocol(next)
	if ext != nil {
		out = append(out, gopacket.Payload(ext))
	}
	return append(out, rest...)
}

// Half are the common kinds, the others any that has a name.
func icmpKind(r *rand.Rand) uint8 {
	if r.IntN(2) == 0 {
		return uint8(r.IntN(20))
	}
	return pick(r, []uint8{0, 3, 8, 11})
}

func icmp6Kind(r *rand.Rand) uint8 {
	switch r.IntN(4) {
	case 0:
		return uint8(1 + r.IntN(4))
	case 1, 2:
		return uint8(128 + r.IntN(26))
	}
	return pick(r, []uint8{128, 129, 133, 134, 135, 136})
}

func (c *corpus) transport(ip gopacket.NetworkLayer, six bool) (layers.IPProtocol, []gopacket.SerializableLayer) {
	r := c.r
	data := make([]byte, pick(r, []int{0, 0, 1, 3, 4, 30, 199, 200, 1200}))
	for i := range data {
		data[i] = pick(r, []byte("GET \x00\x50\xff"))
	}
	if r.IntN(4) == 0 {
		copy(data, "GET / HTTP/1.0\r\n")
	}
	load := gopacket.Payload(data)
	sport, dport := pick(r, ports), pick(r, ports)
	switch n := r.IntN(12); {
	case n < 5:
		tcp := &layers.TCP{SrcPort: layers.TCPPort(sport), DstPort: layers.TCPPort(dport), Seq: pick(r, []uint32{1000, 0xfffffff0}),
			SYN: r.IntN(3) == 0, ACK: r.IntN(3) > 0, FIN: r.IntN(6) == 0, RST: r.IntN(6) == 0, PSH: r.IntN(3) == 0,
			URG: r.IntN(9) == 0, ECE: r.IntN(9) == 0, CWR: r.IntN(9) == 0, Window: pick(r, []uint16{0, 1000})}
		if r.IntN(2) == 0 {
			tcp.Options = []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 180}}}
		}
		if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
			c.t.Fatal(err)
		}
		return layers.IPProtocolTCP, []gopacket.SerializableLayer{tcp, load}
	case n < 8:
		udp := &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)}
		if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
			c.t.Fatal(err)
		}
		return layers.IPProtocolUDP, []gopacket.SerializableLayer{udp, load}
	case n == 8:
		sctp := make([]byte, 16)
		sctp[0], sctp[1], sctp[2], sctp[3], sctp[12] = byte(sport>>8), byte(sport), byte(dport>>8), byte(dport), 1
		return layers.IPProtocolSCTP, []gopacket.SerializableLayer{gopacket.Payload(sctp)}
	case n == 9:
		proto := pick(r, []layers.IPProtocol{2, 9, 47, 50, 88, 89, 103, 112, 59, 0})
		return proto, []gopacket.SerializableLayer{gopacket.Payload([]byte{pick(r, []byte{0x16, 0x20, 0x21}), 0, 0, 0, 1, 2, 3, 4})}
	case six:
		icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(icmp6Kind(r), uint8(r.IntN(4)))}
		if err := icmp.SetNetworkLayerForChecksum(ip); err != nil {
			c.t.Fatal(err)
		}
		return layers.IPProtocolICMPv6, []gopacket.SerializableLayer{icmp, gopacket.Payload(make([]byte, 4+r.IntN(30)))}
	}
	icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(icmpKind(r), uint8(r.IntN(4))), Id: uint16(r.IntN(3)), Seq: 1}
	return layers.IPProtocolICMPv4, []gopacket.SerializableLayer{icmp, load}
}
