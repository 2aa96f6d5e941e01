package packet_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// A kernel is Linux behind a TUN device, as host and as router: it is 192.0.2.1 and
// 2001:db8::1, and behind it is 198.51.100.0/24 and 2001:db8:9::/64.
type kernel struct {
	t    *testing.T
	q    engine.Queue
	pool *packet.Pool
	mark uint16
}

func newKernel(t *testing.T) *kernel {
	t.Helper()
	n := labtest.Namespace(t)
	k := &kernel{t: t, pool: &packet.Pool{}}
	open := func(name string, addrs ...netip.Prefix) (d *tundev.Device) {
		err := n.Do(func() (err error) {
			d, err = tundev.Open(tundev.Config{Name: name, Address: addrs, TxQueueLen: 1000})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	}
	near := open("near", netip.PrefixFrom(host4, 24), netip.PrefixFrom(host6, 64))
	open("far", netip.MustParsePrefix("198.51.100.1/24"), netip.MustParsePrefix("2001:db8:9::1/64"))
	for file, value := range map[string]string{
		"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1",
		"ipv4/icmp_ratelimit": "0", "ipv4/icmp_msgs_per_sec": "1000000", "ipv6/icmp/ratelimit": "0",
	} {
		// Where one cannot be set, the kernel answers the slower.
		n.Do(func() error { return os.WriteFile("/proc/sys/net/"+file, []byte(value), 0) })
	}
	queues, err := near.Attach(engine.Env{Now: time.Now, Wake: func(int) {}})
	if err != nil {
		t.Fatal(err)
	}
	k.q = queues[0]
	return k
}

// answer is what the kernel answers to p: what it sends before it answers an echo
// request that is sent behind p; nil if that is nothing.
func (k *kernel) answer(p *packet.Packet) *packet.Packet {
	k.t.Helper()
	k.mark++
	marker := build(k.t, packet.IPv4{Src: peer4, Dst: host4}, packet.ICMP{Type: packet.EchoRequest, ID: 77, Seq: k.mark})
	p = p.Clone()
	p.Bytes()
	lost := func(p *packet.Packet, why engine.Reason) { k.t.Errorf("%v is lost: %v", p, why) }
	if err := k.q.Write([]*packet.Packet{p, marker}, lost); err != nil {
		k.t.Fatal(err)
	}
	var answer *packet.Packet
	ps := make([]*packet.Packet, 16)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		n, err := k.q.Read(ps, k.pool)
		if err != nil {
			k.t.Fatal(err)
		}
		for _, q := range ps[:n] {
			icmp, ok := q.ICMP()
			icmp6, ok6 := q.ICMPv6()
			switch {
			case ok && icmp.Type() == packet.EchoReply && icmp.ID() == 77:
				if icmp.Seq() == k.mark {
					return answer
				}
			case ok6 && (icmp6.Type() >= packet.RouterSolicit || icmp6.Type() == 143), q.Layout().Proto == 2: // its own: ND, MLD, IGMP
			default:
				answer = q.Clone()
			}
		}
		if n == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	k.t.Fatalf("the kernel did not answer the echo request behind %v", p)
	return nil
}

// essence is a packet without what every stack chooses for itself: ids, the flow
// label, type of service, hop limit and DF.
func essence(p *packet.Packet) []byte {
	if p == nil || p.Len() == 0 {
		return nil
	}
	p = p.Clone()
	ip, _ := p.IP()
	ip.SetTOS(0)
	ip.SetTTL(64)
	ip.SetDF(false)
	v4, _ := p.IPv4()
	v4.SetID(0)
	v6, _ := p.IPv6()
	v6.SetFlowLabel(0)
	return p.Bytes()
}

func (k *kernel) compare(what string, question, ours *packet.Packet) {
	k.t.Helper()
	theirs := k.answer(question)
	for try := 0; try < 20 && theirs == nil && ours.Len() > 0; try++ {
		time.Sleep(50 * time.Millisecond) // all ICMP errors of a machine share one limit: 1,000/s, 50 at once
		theirs = k.answer(question)
	}
	if bytes.Equal(essence(ours), essence(theirs)) {
		return
	}
	said := "nothing"
	if theirs != nil {
		said = theirs.Show()
	}
	k.t.Errorf("%s: %v\nwe answer %s\nthe kernel %s", what, question, ours.Show(), said)
}

// at is p as it comes in where we are the kernel.
func at(p *packet.Packet) *packet.Packet {
	p.In = &packet.Port{Name: "near", MTU: 1500, Peers: []netip.Addr{host4, host6},
		Addrs: []netip.Prefix{netip.PrefixFrom(peer4, 24), netip.PrefixFrom(peer6, 64)}}
	return p
}

func both(dst4, dst6 string, ttl uint8, l ...packet.Layer) [][]packet.Layer {
	return [][]packet.Layer{
		append([]packet.Layer{packet.IPv4{Src: peer4, Dst: netip.MustParseAddr(dst4), ID: 7, TTL: ttl, TOS: 0x10}}, l...),
		append([]packet.Layer{packet.IPv6{Src: peer6, Dst: netip.MustParseAddr(dst6), TTL: ttl}}, l...),
	}
}

// A RST is the kernel's for the same segment to a port that nobody listens on, and
// there is none where the kernel gives none.
func TestRSTIsTheKernels(t *testing.T) {
	k := newKernel(t)
	n := 0
	for _, f := range []packet.Flags{packet.SYN, packet.SYN | packet.ECE | packet.CWR, packet.ACK, packet.SYN | packet.ACK, packet.FIN, packet.FIN | packet.ACK,
		packet.PSH | packet.ACK, packet.RST, packet.RST | packet.ACK, 0, packet.URG | packet.PSH | packet.FIN, packet.SYN | packet.FIN} {
		for _, seq := range []uint32{0, 1000, 1<<32 - 2} {
			for _, payload := range []int{0, 1, 700} {
				tcp := packet.TCP{Sport: 4000, Dport: 81, Seq: seq, Ack: seq + 77, Flags: f, Window: 500, Options: []byte{2, 4, 5, 180}}
				for _, l := range both("192.0.2.1", "2001:db8::1", 64, tcp, packet.Payload(make([]byte, payload))) {
					p := at(build(t, l...))
					k.compare(fmt.Sprintf("flags %v, seq %d, %d bytes", f, seq, payload), p, p.RST())
					n++
				}
			}
		}
	}
	t.Logf("%d segments", n)
}

// ICMP errors are the kernel's, quotes and lengths included, and there is none where
// the kernel gives none.
func TestErrorsAreTheKernels(t *testing.T) {
	k := newKernel(t)
	n := 0
	port := func(p *packet.Packet) *packet.Packet { return p.Unreachable(packet.UnreachablePort, 0) }
	ttl := (*packet.Packet).TTLExceeded
	udp := packet.UDP{Sport: 4000, Dport: 9}
	sizes := []int{0, 1, 8, 519, 520, 521, 547, 548, 549, 1183, 1184, 1185, 1231, 1232, 1233, 1400}
	for _, size := range sizes {
		payload := packet.Payload(bytes.Repeat([]byte("odd"), 500)[:size])
		for _, l := range both("192.0.2.1", "2001:db8::1", 64, udp, payload) {
			p := at(build(t, l...))
			k.compare(fmt.Sprintf("port, %d bytes", size), p, port(p))
			n++
		}
		for _, transport := range []packet.Layer{udp, packet.TCP{Sport: 1, Dport: 2, Seq: 9}} {
			for _, l := range both("198.51.100.9", "2001:db8:9::9", 1, transport, payload) {
				p := at(build(t, l...))
				k.compare(fmt.Sprintf("ttl, %d bytes", size), p, ttl(p))
				n++
			}
		}
	}
	odd := build(t, packet.IPv4{Src: peer4, Dst: host4, ID: 7, Options: []byte{1, 1, 1, 1}}, udp)
	k.compare("port, IP options", at(odd), port(at(odd)))
	for what, l := range map[string][]packet.Layer{
		"an error":              {packet.IPv4{Src: peer4, Dst: netip.MustParseAddr("198.51.100.9"), TTL: 1}, packet.ICMP{Type: packet.DestUnreach, Code: 1}, packet.Payload(odd.Bytes())},
		"an error over IPv6":    {packet.IPv6{Src: peer6, Dst: netip.MustParseAddr("2001:db8:9::9"), TTL: 1}, packet.ICMPv6{Type: packet.TimeExceeded6}, packet.Payload(make([]byte, 48))},
		"an echo request":       {packet.IPv4{Src: peer4, Dst: netip.MustParseAddr("198.51.100.9"), TTL: 1}, packet.ICMP{Type: packet.EchoRequest}},
		"an echo over IPv6":     {packet.IPv6{Src: peer6, Dst: netip.MustParseAddr("2001:db8:9::9"), TTL: 1}, packet.ICMPv6{Type: packet.EchoRequest6}},
		"a later fragment":      {packet.IPv4{Src: peer4, Dst: netip.MustParseAddr("198.51.100.9"), TTL: 1, Frag: 8, Proto: 17}, packet.Payload("12345678")},
		"a first fragment":      {packet.IPv4{Src: peer4, Dst: netip.MustParseAddr("198.51.100.9"), TTL: 1, MF: true, Proto: 17}, packet.Payload("1234567812345678")},
		"another protocol":      {packet.IPv4{Src: peer4, Dst: netip.MustParseAddr("198.51.100.9"), TTL: 1, Proto: 132}, packet.Payload("1234567812345678")},
		"class E as its source": {packet.IPv4{Src: netip.MustParseAddr("240.0.0.1"), Dst: netip.MustParseAddr("198.51.100.9"), TTL: 1}, udp},
	} {
		p := at(build(t, l...))
		k.compare("ttl of "+what, p, ttl(p))
		n++
	}
	for what, l := range map[string][]packet.Layer{
		"a broadcast":           {packet.IPv4{Src: peer4, Dst: netip.MustParseAddr("192.0.2.255")}, udp},
		"everybody":             {packet.IPv4{Src: peer4, Dst: netip.MustParseAddr("255.255.255.255")}, udp},
		"a multicast":           {packet.IPv4{Src: peer4, Dst: netip.MustParseAddr("224.0.0.1")}, udp},
		"a multicast over IPv6": {packet.IPv6{Src: peer6, Dst: netip.MustParseAddr("ff02::1")}, udp},
		"no source over IPv6":   {packet.IPv6{Src: netip.IPv6Unspecified(), Dst: host6}, udp},
	} {
		p := at(build(t, l...))
		k.compare("port of "+what, p, port(p))
		n++
	}
	t.Logf("%d packets", n)
}
