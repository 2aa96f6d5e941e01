package flow_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

var (
	host   = netip.MustParseAddr("192.0.2.1")
	other  = netip.MustParseAddr("192.0.2.7")
	server = netip.MustParseAddr("198.51.100.80")
	public = netip.MustParseAddr("203.0.113.1")
	router = netip.MustParseAddr("198.51.100.1")

	host6   = netip.MustParseAddr("2001:db8::1")
	server6 = netip.MustParseAddr("2001:db8:1::80")
	public6 = netip.MustParseAddr("2001:db8:2::1")
	router6 = netip.MustParseAddr("2001:db8:1::1")
)

// start is when the tests' time begins.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	gate  flow.Owner = 1
	watch flow.Owner = 2
)

func build(tb testing.TB, layers ...packet.Layer) *packet.Packet {
	tb.Helper()
	p, err := packet.Build(layers...)
	if err != nil {
		tb.Fatal(err)
	}
	p.Finish()
	return p
}

func ipHeader(src, dst netip.Addr) packet.Layer {
	if src.Is4() {
		return packet.IPv4{Src: src, Dst: dst, ID: 7}
	}
	return packet.IPv6{Src: src, Dst: dst}
}

func tcp(tb testing.TB, src netip.Addr, sport uint16, dst netip.Addr, dport uint16, flags string, payload string) *packet.Packet {
	tb.Helper()
	f, err := packet.ParseFlags(flags)
	if err != nil {
		tb.Fatal(err)
	}
	return build(tb, ipHeader(src, dst), packet.TCP{Sport: sport, Dport: dport, Seq: 1, Ack: 1, Flags: f}, packet.Payload(payload))
}

func udp(tb testing.TB, src netip.Addr, sport uint16, dst netip.Addr, dport uint16, payload string) *packet.Packet {
	tb.Helper()
	return build(tb, ipHeader(src, dst), packet.UDP{Sport: sport, Dport: dport}, packet.Payload(payload))
}

func echo(tb testing.TB, src, dst netip.Addr, id uint16, reply bool) *packet.Packet {
	tb.Helper()
	if src.Is4() {
		typ := uint8(packet.EchoRequest)
		if reply {
			typ = packet.EchoReply
		}
		return build(tb, ipHeader(src, dst), packet.ICMP{Type: typ, ID: id, Seq: 1}, packet.Payload("ping"))
	}
	typ := uint8(packet.EchoRequest6)
	if reply {
		typ = packet.EchoReply6
	}
	return build(tb, ipHeader(src, dst), packet.ICMPv6{Type: typ, ID: id, Seq: 1}, packet.Payload("ping"))
}

// reported is the ICMP error of a router that p's hops ran out.
func reported(tb testing.TB, from netip.Addr, p *packet.Packet) *packet.Packet {
	tb.Helper()
	q := p.Clone()
	q.In = &packet.Port{Name: "wire", Peers: []netip.Addr{from}}
	e := q.TTLExceeded()
	if e.Len() == 0 {
		tb.Fatal(e.Why())
	}
	e.Finish()
	return e
}

// A world is a table and its time.
type world struct {
	testing.TB
	*flow.Table
	now time.Time
}

func newWorld(tb testing.TB, limit int) *world {
	return &world{tb, flow.New(flow.Config{Limit: limit}), start}
}

func (w *world) get(p *packet.Packet) flow.Flow {
	w.Helper()
	f, ok := w.Get(p, w.now)
	if !ok {
		w.Fatalf("%v has no flow", p)
	}
	return f
}

func (w *world) find(p *packet.Packet) flow.Flow {
	w.Helper()
	f, ok := w.Find(p, w.now)
	if !ok {
		w.Fatalf("the flow of %v is not known", p)
	}
	return f
}

func (w *world) unknown(p *packet.Packet) {
	w.Helper()
	if f, ok := w.Find(p, w.now); ok {
		w.Errorf("%v belongs to a flow, %v", p, f.Dir())
	}
}

// pass is what an engine does with a packet whose flow is known and rewritten: it
// lets it pass, out by 2, and looks at what comes out.
func (w *world) pass(p *packet.Packet) *packet.Packet {
	w.Helper()
	f, ok := w.Find(p, w.now)
	if ok {
		f.Apply(p)
	}
	w.right(p)
	return p
}

// right wants p's lengths and checksums right, by our own measure and by
// gopacket's, quotes in ICMP errors included.
func (w *world) right(p *packet.Packet) {
	w.Helper()
	if layer, ok := p.Valid(); !ok {
		w.Errorf("%v: the checksum of %s is wrong", p, layer)
	}
	if !p.Layout().Fragment() { // gopacket does not write what it reads of one
		sums(w, p.Bytes(), p.Layout().Version)
	}
}

// sums compares the checksums in b with those that gopacket computes.
func sums(tb testing.TB, b []byte, version uint8) {
	tb.Helper()
	typ := gopacket.LayerType(layers.LayerTypeIPv4)
	if version == 6 {
		typ = layers.LayerTypeIPv6
	}
	g := gopacket.NewPacket(b, typ, gopacket.Default)
	var out []gopacket.SerializableLayer
	var network gopacket.NetworkLayer
	for _, l := range g.Layers() {
		switch l := l.(type) {
		case *layers.IPv4:
			network = l
			out = append(out, l)
		case *layers.IPv6:
			network = l
			out = append(out, l)
		case *layers.TCP:
			l.SetNetworkLayerForChecksum(network)
			out = append(out, l)
		case *layers.UDP:
			l.SetNetworkLayerForChecksum(network)
			out = append(out, l)
		case *layers.ICMPv4:
			out = append(out, l)
		case *layers.ICMPv6:
			l.SetNetworkLayerForChecksum(network)
			out = append(out, l)
		case *layers.ICMPv6Echo:
			out = append(out, l)
		}
		if len(out) > 1 {
			out = append(out, gopacket.Payload(l.LayerPayload()))
			break
		}
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{ComputeChecksums: true}, out...); err != nil {
		tb.Errorf("gopacket: %v", err)
		return
	}
	if got := buf.Bytes(); string(got) != string(b) {
		tb.Errorf("gopacket computes\n%x, we wrote\n%x", got, b)
	}
}
