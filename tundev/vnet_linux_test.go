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
