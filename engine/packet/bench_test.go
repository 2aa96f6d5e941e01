package packet_test

import (
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func BenchmarkParse(b *testing.B) {
	frame := build(b, ip4(packet.TCP{Sport: 1, Dport: 2}, packet.Payload(make([]byte, 64)))...).Bytes()
	p := new(packet.Pool).Get(2000)
	b.ReportAllocs()
	for b.Loop() {
		p.Set(frame, packet.IP)
		p.Layout()
	}
}

func BenchmarkReadField(b *testing.B) {
	p := build(b, ip4(packet.TCP{Sport: 1, Dport: 2})...)
	var sum uint16
	for b.Loop() {
		tcp, _ := p.TCP()
		sum += tcp.Dport()
	}
	_ = sum
}

func BenchmarkReadAddr(b *testing.B) {
	p := build(b, ip4(packet.TCP{Sport: 1, Dport: 2})...)
	var a netip.Addr
	for b.Loop() {
		ip, _ := p.IP()
		a = ip.Src()
	}
	_ = a
}

func BenchmarkWriteField(b *testing.B) {
	p := parse(b, build(b, ip4(packet.TCP{Sport: 1, Dport: 2}, packet.Payload(make([]byte, 1400)))...).Bytes(), packet.IP)
	b.ReportAllocs()
	for i := uint16(0); b.Loop(); i++ {
		tcp, _ := p.TCP()
		tcp.SetDport(i)
	}
}

func BenchmarkWriteTTL(b *testing.B) {
	p := parse(b, build(b, ip4(packet.TCP{Sport: 1, Dport: 2}, packet.Payload(make([]byte, 1400)))...).Bytes(), packet.IP)
	for b.Loop() {
		ip, _ := p.IPv4()
		ip.SetTTL(ip.TTL() - 1)
	}
}

func BenchmarkWriteAddr(b *testing.B) {
	p := parse(b, build(b, ip4(packet.TCP{Sport: 1, Dport: 2}, packet.Payload(make([]byte, 1400)))...).Bytes(), packet.IP)
	for b.Loop() {
		ip, _ := p.IPv4()
		ip.SetSrc(peer4)
	}
}

func BenchmarkReplyEcho(b *testing.B) {
	pool := new(packet.Pool)
	frame := build(b, ip4(packet.ICMP{Type: packet.EchoRequest}, packet.Payload(make([]byte, 56)))...).Bytes()
	p := pool.Get(len(frame))
	p.Set(frame, packet.IP)
	b.ReportAllocs()
	for b.Loop() {
		q := p.Reply()
		q.Bytes()
		pool.Put(q)
	}
}

func BenchmarkReplyUDP(b *testing.B) {
	pool := new(packet.Pool)
	frame := build(b, ip4(packet.UDP{Sport: 1, Dport: 2}, packet.Payload(make([]byte, 64)))...).Bytes()
	p := pool.Get(len(frame))
	p.Set(frame, packet.IP)
	b.ReportAllocs()
	for b.Loop() {
		q := p.Reply()
		q.Bytes()
		pool.Put(q)
	}
}

func BenchmarkBuild(b *testing.B) {
	pool, payload := new(packet.Pool), make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		q, _ := pool.Build(packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload(payload))
		q.Bytes()
		pool.Put(q)
	}
}
