// Package dissect says what follows the last header that package packet has a view
// of: SCTP, IGMP or GRE behind IP, DNS or DHCP behind UDP, LLDP behind Ethernet, and
// whatever else gopacket decodes. It is for who prints packets, and linked by nobody
// else: the engine and scripts do without, and gopacket is large.
//
// It reads, and keeps nothing of a packet; its functions are safe for concurrent use
// on different packets. Whatever the bytes are, nothing here panics: what cannot be
// decoded is not said.
package dissect

import (
	"strings"
	"unicode"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/packet"
)

// Line is what follows the last view on one line, such as "DNS query A
// www.example" or "SCTP 5000 > 5001 INIT"; "" where nothing more is known.
func Line(p *packet.Packet) string {
	var said []string
	for _, l := range decode(p) {
		said = append(said, summary(l))
	}
	return strings.ReplaceAll(clean(strings.Join(said, ", ")), "\n", " ")
}

// clean makes dots of what a terminal would obey: names in packets are anybody's.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return '.'
	}, strings.ToValidUTF8(s, "."))
}

// Tree is the same with every field on a line of its own, under the name of its
// header, as [packet.Packet.Show] does; "" where nothing more is known.
func Tree(p *packet.Packet) string {
	var b strings.Builder
	for _, l := range decode(p) {
		tree(&b, l)
	}
	return clean(b.String())
}

// decode is the headers behind the last view that could be decoded, payload left out.
func decode(p *packet.Packet) (list []gopacket.Layer) {
	if p == nil {
		return nil
	}
	data, first := rest(p)
	if len(data) == 0 || first == gopacket.LayerTypePayload || first == gopacket.LayerTypeZero {
		return nil
	}
	// NewPacket recovers from what its decoders do to bytes that lie.
	for _, l := range gopacket.NewPacket(data, first, gopacket.Default).Layers() {
		switch l.(type) {
		case *gopacket.Payload, *gopacket.DecodeFailure, *gopacket.Fragment:
			return list
		}
		list = append(list, l)
	}
	return list
}

// rest is the bytes that no view covers, and what they are.
func rest(p *packet.Packet) ([]byte, gopacket.LayerType) {
	l := p.Layout()
	if p.Len() == 0 || l.FragOff > 0 || l.MoreFrags {
		return nil, gopacket.LayerTypeZero
	}
	_, isTCP := p.TCP()
	udp, isUDP := p.UDP()
	icmp6, isICMPv6 := p.ICMPv6()
	_, isICMP := p.ICMP()
	switch {
	case isUDP:
		return p.Payload(), either(layers.UDPPort(udp.Dport()).LayerType(), layers.UDPPort(udp.Sport()).LayerType())
	case isICMPv6:
		// gopacket counts the four bytes behind the checksum to the message.
		return p.Frame()[l.L4+4 : l.End], messages[icmp6.Type()]
	case isTCP, isICMP, l.Type == packet.TypeARP:
		return nil, gopacket.LayerTypeZero // a segment is seldom a whole message
	case l.Version != 0 && l.L4 > 0:
		return p.Payload(), layers.IPProtocol(l.Proto).LayerType()
	case p.Link() == packet.Ethernet && l.Version == 0:
		return p.Payload(), layers.EthernetType(l.Type).LayerType()
	}
	return nil, gopacket.LayerTypeZero
}

// messages are the ICMPv6 messages of which a view has no more than the first bytes.
var messages = map[uint8]gopacket.LayerType{
	130: layers.LayerTypeMLDv1MulticastListenerQuery,
	131: layers.LayerTypeMLDv1MulticastListenerReport,
	132: layers.LayerTypeMLDv1MulticastListenerDone,
	134: layers.LayerTypeICMPv6RouterAdvertisement,
	143: layers.LayerTypeMLDv2MulticastListenerReport,
}

// either is the first that is known.
func either(a, b gopacket.LayerType) gopacket.LayerType {
	if a == gopacket.LayerTypePayload {
		return b
	}
	return a
}
