package packet_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// judge is what tshark finds wrong in packets, by their number: checksums, lengths
// and malformed headers. The test is skipped where there is no tshark.
func judge(t *testing.T, link packet.LinkType, packets []*packet.Packet) map[int]string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed: apt-get install tshark")
	}
	file := filepath.Join(t.TempDir(), "edits.pcap")
	linkType := map[packet.LinkType]uint32{packet.IP: 101, packet.Ethernet: 1}[link]
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, []uint32{0xa1b2c3d4, 2 | 4<<16, 0, 0, 262144, linkType})
	for _, p := range packets {
		binary.Write(&b, binary.LittleEndian, []uint32{0, 0, uint32(p.Len()), uint32(p.Len())})
		b.Write(p.Bytes())
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	// A port drawn at random makes something else of the payload: that is not judged.
	wrong := `(_ws.malformed && frame.protocols matches "(:ip|:ipv6|:tcp|:udp|:icmp|:icmpv6|:arp|:data)$")`
	for _, proto := range []string{"ip", "tcp", "udp", "icmp", "icmpv6"} {
		wrong += fmt.Sprintf(" || %s.checksum.status == 0", proto)
	}
	wrong += " || ip.bogus_ip_length || ip.bogus_header_length || udp.length.bad || tcp.bogus_header_length || ipv6.plen_exceeds_framing || ipv6.invalid_header || tcp.option.len.invalid"
	args := []string{"-n", "-r", file, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
		"-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE", // each packet by itself
		"-Y", wrong, "-T", "fields", "-E", "separator=;", "-e", "frame.number", "-e", "_ws.col.info", "-e", "_ws.expert.message"}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("tshark: %v: %s", err, out)
	}
	bad := map[int]string{}
	for line := range strings.Lines(string(out)) {
		n, rest, ok := strings.Cut(line, ";")
		var i int
		if _, err := fmt.Sscan(n, &i); !ok || err != nil {
			continue // what tshark says about itself
		}
		bad[i-1] = rest
	}
	return bad
}

// judged are packets whose every edit leaves something that is right by itself.
func judged() []sample {
	list := editable()
	fragment := sample{name: "udp4 fragment", link: packet.IP, layers: []packet.Layer{packet.IPv4{Src: host4, Dst: peer4, ID: 7, MF: true, Proto: 17}, packet.Payload(make([]byte, 64))}}
	tag := packet.VLAN{ID: 5}
	return append(list, fragment,
		sample{name: "qinq udp4", link: packet.Ethernet, layers: []packet.Layer{packet.Eth{Src: hostMAC, Dst: peerMAC, Type: packet.TypeQinQ}, tag, tag, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 4000, Dport: 4001}, packet.Payload("odd")}})
}

// tshark finds every checksum and length right after 1,500 edits of all fields,
// over both versions, tags, options, extension headers and fragments; and it does
// find those that are wrong on purpose.
func TestTsharkFindsEditsRight(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	var all []edit
	for _, e := range edits() {
		if e.name != "icmp.type" && e.name != "icmp6.target" { // another type wants another body
			all = append(all, e)
		}
	}
	packets, names := map[packet.LinkType][]*packet.Packet{}, map[packet.LinkType][]string{}
	total := 0
	for _, s := range judged() {
		for range 125 {
			p := parse(t, build(t, s.layers...).Bytes(), s.link)
			said := s.name
			if v, ok := p.IPv6(); ok && r.IntN(3) == 0 && strings.Contains(s.name, "6") {
				extend(v, r)
				said += ", extended"
			}
			for range 1 + r.IntN(3) {
				e := all[r.IntN(len(all))]
				if strings.Contains(e.name, "payload") && strings.HasPrefix(s.name, "neighbor") {
					continue // its options, which would be any bytes
				}
				e.do(p, r)
				said += ", " + e.name
			}
			switch r.IntN(8) {
			case 0:
				p.PushVLAN(uint16(r.IntN(4096)), 3)
			case 1:
				p.PopVLAN()
			}
			packets[p.Link()], names[p.Link()] = append(packets[p.Link()], p), append(names[p.Link()], said)
			total++
		}
	}
	for link, list := range packets {
		control := len(list)
		for _, spoil := range []func(p *packet.Packet){
			func(p *packet.Packet) { v, _ := p.IP(); v.SetChecksum(1) },
			func(p *packet.Packet) { v, _ := p.TCP(); v.SetChecksum(1) },
			func(p *packet.Packet) { v, _ := p.TCP(); v.Options(); p.SetUint8(p.Layout().L4+12, 0xf0) },
		} {
			p := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Sport: 1, Dport: 2})
			if link == packet.Ethernet {
				p.PushEthernet(hostMAC, peerMAC)
			}
			spoil(p)
			list = append(list, p)
		}
		bad := judge(t, link, list)
		for i, why := range bad {
			if i < control {
				t.Errorf("%s: %v: tshark: %s%s", names[link][i], list[i], why, list[i].Hex(false))
			}
		}
		for i := control; i < len(list); i++ {
			if bad[i] == "" {
				t.Errorf("tshark finds nothing wrong in %v", list[i])
			}
		}
	}
	t.Logf("%d edited packets", total)
	if total < 1000 {
		t.Errorf("only %d edited packets", total)
	}
}

// extend puts extension headers behind an IPv6 header.
func extend(v packet.IPv6View, r *rand.Rand) {
	pad := []byte{0, 0, 1, 4, 0, 0, 0, 0}
	list := []packet.Extension{{Kind: packet.ProtoHopByHop, Data: pad}, {Kind: packet.ProtoDestOpts, Data: pad}}
	v.SetExtensions(list[r.IntN(2):]...)
}
