package packet_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestNothingIsAllocatedInASteadyState(t *testing.T) {
	pool := new(packet.Pool)
	echo := build(t, ip4(packet.ICMP{Type: packet.EchoRequest, ID: 1}, packet.Payload(make([]byte, 56)))...).Bytes()
	syn := build(t, ip6(packet.TCP{Sport: 1, Dport: 2, Flags: packet.SYN, Options: linuxSYN})...).Bytes()
	payload, line := []byte("hello"), make([]byte, 0, 400)
	p := pool.Get(1500)
	p.In = tap0
	answer := func(name string, q func() *packet.Packet) func() {
		return func() {
			a := q()
			if a.Bytes() == nil {
				t.Errorf("%s: no answer", name)
			}
			pool.Put(a)
		}
	}
	for _, tt := range []struct {
		name  string
		frame []byte
		do    func()
	}{
		{"parse and read", echo, func() {
			p.Set(echo, packet.IP)
			ip, _ := p.IP()
			icmp, ok := p.ICMP()
			if !ok || ip.Src() != host4 || icmp.Type() != packet.EchoRequest || len(p.Payload()) != 56 {
				t.Error("not what was parsed")
			}
		}},
		{"write and finish", syn, func() {
			ip, _ := p.IP()
			tcp, _ := p.TCP()
			ip.SetTTL(ip.TTL() - 1)
			ip.SetDst(peer6)
			tcp.SetDport(8080)
			tcp.Options().SetMSS(1360)
			p.SetPayload(payload)
			p.Bytes()
		}},
		{"options that resize", syn, func() {
			tcp, _ := p.TCP()
			tcp.Options().Remove(packet.OptMSS)
			tcp.Options().SetMSS(1360)
			p.Bytes()
		}},
		{"raw", syn, func() {
			v, _ := p.Uint32(40)
			p.SetUint32(40, v+1)
			p.SetUint8(6, 6)
		}},
		{"echo reply", echo, answer("reply", func() *packet.Packet { return p.Reply() })},
		{"SYN-ACK", syn, answer("reply", func() *packet.Packet { return p.Reply() })},
		{"RST", syn, answer("rst", func() *packet.Packet { return p.RST() })},
		{"unreachable", echo, answer("unreachable", func() *packet.Packet { return p.Unreachable(packet.UnreachableAdmin, 0) })},
		{"empty answer", echo, answer("rst", func() *packet.Packet { return p.RST() })},
		{"clone", echo, answer("clone", func() *packet.Packet { return p.Clone() })},
		{"build", echo, answer("build", func() *packet.Packet {
			q, _ := pool.Build(packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload(payload))
			return q
		})},
		{"line", syn, func() { line = p.AppendString(line[:0]) }},
	} {
		if err := p.Set(tt.frame, packet.IP); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(200, tt.do); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}
