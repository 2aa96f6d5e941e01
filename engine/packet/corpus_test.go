package packet_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/packet"
)

// corpusFiles are captures from the test folders of tcpdump, libpcap and
// gopacket, many of them malformed on purpose.
func corpusFiles(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("TUNSCRIPT_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	var files []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return nil
	})
	if len(files) == 0 {
		t.Skip("no capture files: set TUNSCRIPT_CORPUS to a folder of them")
	}
	return files
}

func TestCorpus(t *testing.T) {
	packets, withIP, valid, compared := 0, 0, 0, 0
	for _, path := range corpusFiles(t) {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		readCapture(b, func(b []byte, link packet.LinkType) {
			p, err := packet.Parse(b, link)
			if err != nil {
				return
			}
			packets++
			if p.Layout().Version != 0 {
				withIP++
			}
			if _, ok := p.Valid(); ok {
				valid++
			}
			p.In = tap0
			checkAnswers(t, p, touchAll(p))
			rewriteAll(p)
			thereAndBack(p)
			if !sameFrame(p.Bytes(), b, p.Layout()) {
				t.Errorf("%s: packet %d, changed and changed back, is\n%swas\n%s", path, packets, p.Hex(false), parse(t, b, link).Hex(false))
			}
			p.Reply()
			compared += agreeWithGopacket(t, path, b, link)
		})
	}
	t.Logf("%d packets, %d with IP, %d valid; %d headers compared", packets, withIP, valid, compared)
	if packets < 100 {
		t.Errorf("only %d packets were read", packets)
	}
}

// thereAndBack gives fields another value and then their old one.
func thereAndBack(p *packet.Packet) {
	if v, ok := p.IP(); ok {
		v.SetTTL(v.TTL() + 77)
		v.SetTTL(v.TTL() - 77)
		src := v.Src()
		v.SetSrc(host4)
		v.SetSrc(host6)
		v.SetSrc(src)
	}
	if v, ok := p.TCP(); ok {
		seq := v.Seq()
		v.SetSeq(^seq)
		v.SetFlags(^v.Flags())
		v.SetSeq(seq)
		v.SetFlags(^v.Flags())
	}
	if v, ok := p.UDP(); ok {
		v.SetDport(v.Dport() + 1)
		v.SetDport(v.Dport() - 1)
	}
	if v, ok := p.ICMP(); ok {
		v.SetSeq(^v.Seq())
		v.SetSeq(^v.Seq())
	}
}

// sameFrame compares but for the two ways to write 0 in a checksum.
func sameFrame(got, want []byte, l *packet.Layout) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] == want[i] {
			continue
		}
		sum := i&^1 == (l.L3+10)&^1 || l.L4 > 0 && i > l.L4 && i < l.L4+18
		if !sum || got[i] != 0 || want[i] != 0xff {
			return false
		}
	}
	return true
}

// agreeWithGopacket compares the fields that gopacket reads, where it decodes the
// packet without an error, and says how many headers it compared.
func agreeWithGopacket(t *testing.T, path string, b []byte, link packet.LinkType) (headers int) {
	first := gopacket.Decoder(layers.LayerTypeEthernet)
	if link == packet.IP {
		first = layers.LayerTypeIPv4
		if b[0]>>4 == 6 {
			first = layers.LayerTypeIPv6
		}
	}
	p := parse(t, b, link)
	g := gopacket.NewPacket(b, first, gopacket.Default)
	if g.ErrorLayer() != nil {
		return 0
	}
	if ip, ok := g.NetworkLayer().(*layers.IPv4); ok && ip.Version == 4 && len(ip.Contents) >= 20 && outermost(g, layers.LayerTypeIPv4) {
		headers++
		v, ok := p.IPv4()
		if !ok || v.Src().String() != ip.SrcIP.String() || v.Dst().String() != ip.DstIP.String() || v.TTL() != ip.TTL ||
			v.ID() != ip.Id || v.TOS() != ip.TOS || v.Proto() != uint8(ip.Protocol) || v.Frag() != int(ip.FragOffset)*8 || v.Checksum() != ip.Checksum {
			t.Errorf("%s: gopacket reads %v as %+v", path, p, ip)
		}
	}
	tcp, isTCP := g.TransportLayer().(*layers.TCP)
	v, ok := p.TCP()
	if isTCP && ok && outermost(g, layers.LayerTypeTCP) && p.Layout().Tags < 2 {
		headers++
		if v.Sport() != uint16(tcp.SrcPort) || v.Seq() != tcp.Seq || v.Ack() != tcp.Ack || v.Window() != tcp.Window ||
			v.Checksum() != tcp.Checksum || v.HeaderLen() != int(tcp.DataOffset)*4 || !bytes.Equal(p.Payload(), tcp.Payload) {
			t.Errorf("%s: gopacket reads %v as %+v", path, p, tcp)
		}
	}
	return headers
}

// outermost reports that one IP header at most stands before the layer.
func outermost(g gopacket.Packet, typ gopacket.LayerType) bool {
	n := 0
	for _, l := range g.Layers() {
		switch l.LayerType() {
		case layers.LayerTypeIPv4, layers.LayerTypeIPv6:
			n++
		case layers.LayerTypeGRE, layers.LayerTypePPPoE, layers.LayerTypePPP, layers.LayerTypeMPLS, layers.LayerTypeLLC, layers.LayerTypeVXLAN, layers.LayerTypeEtherIP, layers.LayerTypeFDDI:
			return false
		}
		if l.LayerType() == typ {
			return n <= 1
		}
	}
	return false
}
