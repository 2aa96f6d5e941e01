package tundev

import (
	"encoding/binary"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
	"golang.org/x/sys/unix"
)

// vnetLen is struct virtio_net_hdr: flags, gso_type, then hdr_len, gso_size,
// csum_start and csum_offset of two bytes each in the order of the machine.
const vnetLen = 10

// masks are what we ask of TUNSETOFFLOAD, best first: checksums and TCP with ECN, UDP
// (Linux 6.2; both or none), then ever less. What it says concerns reading alone.
var masks = [...]int{
	unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN | unix.TUN_F_USO4 | unix.TUN_F_USO6,
	unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN,
	unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6,
	unix.TUN_F_CSUM,
	0,
}

// negotiate sets the best mask that the kernel takes and returns it.
func negotiate(set func(mask int) error) (mask int, err error) {
	for _, mask = range masks {
		if err = set(mask); err == nil {
			return mask, nil
		}
	}
	return 0, err
}

// A vnet is the queue of a device with the vnet header, as far as that is about.
type vnet struct {
	on       bool
	udp      bool // join datagrams, too
	refuses  [2]bool
	head     [vnetLen]byte // of the packet being written
	splitter offload.Walker
	pieces   []*packet.Packet
}

// Kinds of super-packets that a kernel may refuse.
const (
	tso = iota
	uso
)

func kindOf(p *packet.Packet) int {
	if p.GSO().Type&^offload.ECN == offload.UDP {
		return uso
	}
	return tso
}

// read gives p, whose frame came behind the header h, its segmentation and the state of
// its checksum. Where that is none of those we know, as of a packet in a tunnel, it is
// finished here.
func (v *vnet) read(p *packet.Packet, h [vnetLen]byte) {
	if h[0]&unix.VIRTIO_NET_HDR_F_NEEDS_CSUM != 0 {
		want := packet.Partial{
			Start:  int(binary.NativeEndian.Uint16(h[6:])),
			Offset: int(binary.NativeEndian.Uint16(h[8:])),
		}
		if want.Start+want.Offset+2 > p.Len() {
			p.SetGSO(impossible)
			return
		}
		p.SetPartial()
		if at, ok := p.Partial(); !ok || at != want {
			p.FinishAt(want)
		}
	}
	if h[1] != unix.VIRTIO_NET_HDR_GSO_NONE {
		// hdr_len is not to be relied on: behind a forwarding kernel it may be
		// that of another packet.
		g := packet.GSO{Type: h[1], Size: binary.NativeEndian.Uint16(h[4:])}
		if g.Size == 0 {
			g = impossible
		}
		p.SetGSO(g)
	}
}

// impossible is the segmentation of a packet whose header contradicts itself: nobody can
// cut such a one, so the engine drops and counts it. Left as it is, it would be taken for
// an ordinary packet: for one with a checksum that was to be finished, or for one of 60 KB.
var impossible = packet.GSO{Type: 0xff, Size: 1}

// header is what the kernel is to be told of p, whose checksum becomes unfinished if it
// is due.
func (v *vnet) header(p *packet.Packet) (h [vnetLen]byte) {
	if !p.Unfinish() {
		return h
	}
	at, _ := p.Partial()
	h[0] = unix.VIRTIO_NET_HDR_F_NEEDS_CSUM
	binary.NativeEndian.PutUint16(h[6:], uint16(at.Start))
	binary.NativeEndian.PutUint16(h[8:], uint16(at.Offset))
	// Of one segment the kernel would lose a super-packet with TCP options, silently.
	if g := p.GSO(); g.Size > 0 && p.Segments() > 1 {
		h[1] = g.Type
		binary.NativeEndian.PutUint16(h[2:], uint16(p.Layout().Data))
		binary.NativeEndian.PutUint16(h[4:], g.Size)
	}
	return h
}

// Join says what is joined on the way out: TCP, and with "max" UDP, as long as the
// kernel takes it.
func (q *tunQueue) Join() (tcp, udp bool) {
	return q.vnet.on && !q.vnet.refuses[tso], q.vnet.on && q.vnet.udp && !q.vnet.refuses[uso]
}

// writeSuper writes the super-packet p behind its header. One that the kernel does not
// take goes in pieces, and so do later ones of its kind: some 6.6 refuse them all.
func (q *tunQueue) writeSuper(p *packet.Packet) unix.Errno {
	v := &q.vnet
	// The kernel computes the checksums of what it cuts; those that a script has set, or
	// that came wrong, only pieces can keep.
	if v.refuses[kindOf(p)] || !p.Unfinish() {
		return q.writePieces(p)
	}
	errno := q.send(q.message(p))
	if errno != unix.EINVAL || offload.Check(p) != nil {
		return errno
	}
	if errno = q.writePieces(p); errno == 0 && p.Segments() <= 64 { // more datagrams than these no kernel need take
		v.refuses[kindOf(p)] = true
	}
	return errno
}

// writePieces writes the segments of p one by one, and returns the first error.
func (q *tunQueue) writePieces(p *packet.Packet) (first unix.Errno) {
	v := &q.vnet
	pieces, err := v.splitter.Split(v.pieces[:0], p)
	if err != nil {
		return unix.EINVAL
	}
	for i, s := range pieces {
		if errno := q.send(q.message(s)); first == 0 {
			first = errno
		}
		v.splitter.Pool.Put(s)
		pieces[i] = nil
	}
	v.pieces = pieces[:0]
	return first
}

var _ engine.Supers = (*tunQueue)(nil)
