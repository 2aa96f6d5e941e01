package tundev

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
	"golang.org/x/sys/unix"
)

// What kernels take of TUNSETOFFLOAD, and what we settle for.
func TestNegotiation(t *testing.T) {
	const tcp = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6
	for _, tt := range []struct {
		kernel string
		knows  int
		want   int
	}{
		{"6.18", tcp | unix.TUN_F_TSO_ECN | unix.TUN_F_USO4 | unix.TUN_F_USO6, 0x6f},
		{"6.1, 5.15, 5.4: no USO", tcp | unix.TUN_F_TSO_ECN | unix.TUN_F_UFO, 0x0f},
		{"no ECN", tcp, 0x07},
		{"checksums only", unix.TUN_F_CSUM, 0x01},
		{"nothing", 0, 0},
	} {
		asked := 0
		got, err := negotiate(func(mask int) error {
			asked++
			if mask&^tt.knows != 0 {
				return unix.EINVAL
			}
			return nil
		})
		if got != tt.want || err != nil {
			t.Errorf("%s: mask %#x, %v, want %#x", tt.kernel, got, err, tt.want)
		}
	}
	if _, err := negotiate(func(int) error { return unix.EBADFD }); err != unix.EBADFD {
		t.Errorf("a device that is gone: %v", err)
	}
}

// A kernel that refuses super-packets gets the segments, at once and from then on, and
// nothing is lost.
func TestAKernelThatRefusesSuperPackets(t *testing.T) {
	for _, kind := range []struct {
		name     string
		kind     uint8
		l        packet.Layer
		tcp, udp bool // still joined
	}{
		{"tcp", offload.TCPv4, packet.TCP{Sport: 1, Dport: 2, Flags: packet.ACK}, false, true},
		{"udp", offload.UDP, packet.UDP{Sport: 1, Dport: 2}, true, false},
	} {
		var wrote [][]byte
		supers := 0
		q := &tunQueue{room: room}
		q.vnet.on, q.vnet.udp = true, true
		q.sys = func(b []byte) unix.Errno {
			if b[1] != unix.VIRTIO_NET_HDR_GSO_NONE {
				supers++
				return unix.EINVAL
			}
			wrote = append(wrote, bytes.Clone(b[vnetLen:]))
			return 0
		}
		p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}, kind.l, make(packet.Payload, 4500))
		if err != nil {
			t.Fatal(err)
		}
		p.SetGSO(packet.GSO{Type: kind.kind, Size: 1000})
		lost := func(_ *packet.Packet, why engine.Reason) { t.Errorf("%s: lost: %s", kind.name, why) }
		for range 2 {
			if err := q.Write([]*packet.Packet{p}, lost); err != nil {
				t.Fatal(err)
			}
		}
		if len(wrote) != 10 || supers != 1 {
			t.Errorf("%s: %d packets and %d super-packets were written, want 10 and 1", kind.name, len(wrote), supers)
		}
		if tcp, udp := q.Join(); tcp != kind.tcp || udp != kind.udp {
			t.Errorf("%s: joins tcp %v, udp %v", kind.name, tcp, udp)
		}
	}
}

// A checksum that is in no header we know, as one in a tunnel, is finished on the way in.
func TestAStrangeChecksumIsFinished(t *testing.T) {
	b := []byte{0x45, 0, 0, 32, 0, 0, 0, 0, 64, 253, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 1, 1}
	p, err := packet.Parse(b, packet.IP)
	if err != nil {
		t.Fatal(err)
	}
	var v vnet
	h := [vnetLen]byte{0: unix.VIRTIO_NET_HDR_F_NEEDS_CSUM}
	binary.NativeEndian.PutUint16(h[6:], 22)
	binary.NativeEndian.PutUint16(h[8:], 6)
	if _, ok := p.Partial(); ok {
		t.Fatal("it has no checksum")
	}
	v.read(p, h)
	// What is missing to 0 is the pseudo-header, which the partial sum, 9, was of.
	if at := p.Bytes()[22:]; packet.Checksum(at) != 9 {
		t.Errorf("% x: its sum is not right", at)
	}
}

// What a header says that cannot be is for the engine to drop and to count, whatever the
// packet behind it.
func TestHeadersThatCannotBe(t *testing.T) {
	const needs = unix.VIRTIO_NET_HDR_F_NEEDS_CSUM
	type header struct {
		flags, kind               uint8
		hdrLen, size, start, csum uint16
	}
	for _, tt := range []struct {
		name string
		h    header
		bad  bool
	}{
		{"a super-packet", header{needs, offload.TCPv4, 40, 1000, 20, 16}, false},
		{"no gso_size", header{needs, offload.TCPv4, 40, 0, 20, 16}, true},
		{"no gso_size, finished", header{0, offload.TCPv4, 40, 0, 0, 0}, true},
		{"gso_size of more than fits", header{needs, offload.TCPv4, 40, 65535, 20, 16}, true},
		{"a gso_size less than the headers", header{needs, offload.TCPv4, 40, 13, 20, 16}, false},
		{"hdr_len past the end", header{needs, offload.TCPv4, 65535, 1000, 20, 16}, false}, // not looked at
		{"hdr_len inside the headers", header{needs, offload.TCPv4, 3, 1000, 20, 16}, false},
		{"another version", header{needs, offload.TCPv6, 40, 1000, 20, 16}, true},
		{"another protocol", header{needs, offload.UDP, 40, 1000, 20, 6}, true},
		{"UFO", header{needs, unix.VIRTIO_NET_HDR_GSO_UDP, 40, 1000, 20, 16}, true},
		{"an unknown kind", header{needs, 77, 40, 1000, 20, 16}, true},
		{"csum_start at the end", header{needs, 0, 0, 0, 4540, 16}, true},
		{"csum_start past the end", header{needs, offload.TCPv4, 40, 1000, 65535, 16}, true},
		{"csum_offset past the end", header{needs, 0, 0, 0, 20, 65535}, true},
		{"a checksum of which one byte is there", header{needs, 0, 0, 0, 20, 4519}, true},
		{"a checksum at the very end", header{needs, 0, 0, 0, 20, 4518}, false},
	} {
		p := segments(t, 1000)
		p.SetGSO(packet.GSO{})
		h := [vnetLen]byte{tt.h.flags, tt.h.kind}
		for i, v := range []uint16{tt.h.hdrLen, tt.h.size, tt.h.start, tt.h.csum} {
			binary.NativeEndian.PutUint16(h[2+2*i:], v)
		}
		new(vnet).read(p, h)
		// What is no super-packet passes; of what is one, the engine asks Check.
		if got := p.GSO().Size > 0 && offload.Check(p) != nil; got != tt.bad {
			t.Errorf("%s: dropped %v, want %v: %v", tt.name, got, tt.bad, p.GSO())
		}
	}
}

// The kernel would compute the checksums of what it cuts, so a super-packet with one that
// was set leaves in pieces, and super-packets without one go on.
func TestAChecksumThatWasSetStays(t *testing.T) {
	p := segments(t, 1000)
	tcp, _ := p.TCP()
	tcp.SetChecksum(0xdead)
	n := 0
	q := &tunQueue{room: room}
	q.vnet.on = true
	q.sys = func(b []byte) unix.Errno {
		n++
		if b[0] != 0 || b[1] != unix.VIRTIO_NET_HDR_GSO_NONE || binary.BigEndian.Uint16(b[vnetLen+36:]) != 0xdead {
			t.Errorf("header % x, checksum %#x", b[:vnetLen], b[vnetLen+36:vnetLen+38])
		}
		return 0
	}
	if err := q.Write([]*packet.Packet{p}, func(_ *packet.Packet, why engine.Reason) { t.Error(why) }); err != nil || n != 5 {
		t.Errorf("%d packets, %v, want 5", n, err)
	}
	if tcp, _ := q.Join(); !tcp {
		t.Error("nothing is joined any more")
	}
}

// segments is a super-packet of TCP with 4,500 bytes, 4,540 with its headers.
func segments(t *testing.T, size uint16) *packet.Packet {
	t.Helper()
	p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.TCP{Sport: 1, Dport: 2, Flags: packet.ACK}, make(packet.Payload, 4500))
	if err != nil {
		t.Fatal(err)
	}
	p.SetGSO(packet.GSO{Type: offload.TCPv4, Size: size})
	return p
}
