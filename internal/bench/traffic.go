package bench

import (
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// The addresses are a lab's.
var (
	host = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")}
	peer = []netip.Addr{netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::2")}
)

// mix is what a host on a network sends: of ten packets four are UDP to ports that
// scripts like, four TCP (a SYN, an acknowledgement, data, a FIN), two pings; three
// quarters over IPv4. Every flow has a port of its own.
func mix() []*packet.Packet {
	var all []*packet.Packet
	ports := []uint16{7, 53, 80, 443}
	flags := []packet.Flags{packet.SYN, packet.ACK, packet.PSH | packet.ACK, packet.FIN | packet.ACK}
	for i := range 400 {
		var ip packet.Layer = packet.IPv4{Src: host[0].Addr(), Dst: peer[0], TTL: 64}
		six := i/10%4 == 3
		if six {
			ip = packet.IPv6{Src: host[1].Addr(), Dst: peer[1], TTL: 64}
		}
		sport := uint16(20000 + i)
		layers := []packet.Layer{ip}
		switch kind := i % 10; {
		case kind < 4:
			layers = append(layers, packet.UDP{Sport: sport, Dport: ports[kind]}, packet.Payload("thirty-six bytes of a small request "))
		case kind < 8:
			layers = append(layers, packet.TCP{Sport: sport, Dport: ports[i%2+2], Flags: flags[kind-4], Seq: uint32(i), Window: 65535})
			if flags[kind-4]&packet.PSH != 0 {
				layers = append(layers, packet.Payload("GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"))
			}
		case six:
			layers = append(layers, packet.ICMPv6{Type: packet.EchoRequest6, ID: sport, Seq: 1}, packet.Payload("0123456789012345678901234567890123456789012345678901234567"))
		default:
			layers = append(layers, packet.ICMP{Type: packet.EchoRequest, ID: sport, Seq: 1}, packet.Payload("0123456789012345678901234567890123456789012345678901234567"))
		}
		p, err := packet.Build(layers...)
		if err != nil {
			continue // a test holds that none fails
		}
		p.Bytes()
		all = append(all, p)
	}
	return all
}

// maxPackets of a capture are played, and maxBytes: they are held in memory.
const (
	maxPackets = 100_000
	maxBytes   = 64 << 20
)

// FromFile reads the packets of a capture, as many as a benchmark holds in memory. Those
// of another link type than the first are left out.
func FromFile(path string) ([]*packet.Packet, error) {
	r, err := pcapfile.OpenReader(path, pcapfile.Select{})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all []*packet.Packet
	for size := 0; len(all) < maxPackets && size < maxBytes; {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		p, err := packet.Parse(rec.Data, rec.Link)
		if err != nil || len(all) > 0 && rec.Link != all[0].Link() {
			continue
		}
		all = append(all, p)
		size += p.Len()
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there is no packet in it that an engine takes: record one with --pcap", path)
	}
	return all, nil
}
