package offload

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tunscript/tunscript/engine/packet"
)

// Kinds of super-packets, as gso_type of a vnet header says them
// (include/uapi/linux/virtio_net.h).
const (
	TCPv4 = 1
	TCPv6 = 4
	UDP   = 5    // USO, of either version
	ECN   = 0x80 // with one of TCP: CWR is set, and only the first segment's
)

// ErrMalformed is wrapped by what Walk and Split return for a super-packet that
// cannot be cut: no segment size, lengths that contradict each other, headers that
// are not those of its kind.
var ErrMalformed = errors.New("offload: it is no super-packet that can be cut: drop it")

const (
	ip6Len = 40
	// headLen is the room for the headers in front of the payload. The kernel's own
	// limit for a TUN device is 256 (net/core/skbuff.c).
	headLen = 512
	maxLen  = 65535 // of an IP packet: what its length field counts
	// maxSegments is more than a kernel makes of its own streams (its smallest segment has
	// 48 bytes, options included), and bounds what a guest of a virtual machine, who may
	// write any size into the header of 64 KB, costs us.
	maxSegments = 4096
)

func malformed(why string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(why, args...))
}

// Check reports why p cannot be cut into segments, wrapping ErrMalformed; nil if it
// can be.
func Check(p *packet.Packet) error {
	if p == nil {
		return malformed("there is no packet")
	}
	l, g := p.Layout(), p.GSO()
	var proto, version uint8
	switch g.Type &^ ECN {
	case TCPv4:
		proto, version = packet.ProtoTCP, 4
	case TCPv6:
		proto, version = packet.ProtoTCP, 6
	case UDP:
		proto, version = packet.ProtoUDP, l.Version
	default:
		return malformed("kind %d is unknown", g.Type)
	}
	b := p.Frame()
	switch {
	case g.Size == 0:
		return malformed("segments of 0 bytes")
	case l.Version == 0, l.Version != version, l.Proto != proto, l.L4 == 0:
		return malformed("IP version %d and protocol %d do not belong to kind %d", l.Version, l.Proto, g.Type)
	case l.Fragment():
		return malformed("a fragment")
	case l.Data > headLen:
		return malformed("%d bytes of headers", l.Data)
	case proto == packet.ProtoTCP && int(b[l.L4+12]>>4)*4 != l.Data-l.L4:
		return malformed("a TCP header of %d bytes", int(b[l.L4+12]>>4)*4)
	case l.Data-l.L3+int(g.Size) > maxLen:
		return malformed("segments of %d bytes", g.Size)
	case p.Segments() > maxSegments:
		return malformed("%d segments, more than %d", p.Segments(), maxSegments)
	}
	return nil
}

// A cutting is one super-packet while its segments are made. The headers of a
// segment are those of the super-packet but for some fields, the sums over all the
// others being known beforehand.
type cutting struct {
	p       *packet.Packet
	b       []byte // its frame
	l3, l4  int
	hl      int // length of all headers
	size, n int // payload of a segment, and how many
	end     int // of the payload
	v4, tcp bool
	partial bool // the transport checksum is unfinished

	head [headLen]byte // of the super-packet
	ip   uint64        // sum over the IPv4 header without length, identification and sum
	seed uint64        // sum over the pseudo-header without length
	id   uint16
	seq  uint32
}

// begin prepares the cutting of p, whose checksum becomes unfinished if it is due.
func (c *cutting) begin(p *packet.Packet) error {
	if err := Check(p); err != nil {
		return err
	}
	p.Unfinish()
	l := p.Layout()
	c.p, c.b = p, p.Frame()
	c.l3, c.l4, c.hl, c.end, c.size = l.L3, l.L4, l.Data, l.End, int(p.GSO().Size)
	c.n = max(1, (c.end-c.hl+c.size-1)/c.size)
	c.v4, c.tcp = l.Version == 4, l.Proto == packet.ProtoTCP
	h := c.head[:copy(c.head[:c.hl], c.b)]
	if c.tcp {
		c.seq = binary.BigEndian.Uint32(h[c.l4+4:])
	}
	if c.v4 {
		c.id = binary.BigEndian.Uint16(h[c.l3+4:])
		c.ip = 0
		for at := c.l3; at < c.l3+int(h[c.l3]&15)*4; at += 2 {
			if at != c.l3+2 && at != c.l3+4 && at != c.l3+10 {
				c.ip += uint64(binary.BigEndian.Uint16(h[at:]))
			}
		}
	}
	// The seed as it came, less the length that it counts: so the addresses need not
	// be known, which behind a routing header are not the ones in the IPv6 header.
	var at packet.Partial
	if at, c.partial = p.Partial(); c.partial {
		was := uint64(binary.BigEndian.Uint16(h[at.Start+at.Offset:]))
		n := uint16(c.end - c.l4)
		c.seed = was + uint64(^n)
	}
	return nil
}

// headers writes the headers of the segments from a up to b, as one packet with n
// bytes of payload, into h.
func (c *cutting) headers(h []byte, a, b, n int) {
	copy(h, c.head[:c.hl])
	length := c.hl - c.l3 + n
	if c.v4 {
		id := c.id + uint16(a)
		binary.BigEndian.PutUint16(h[c.l3+2:], uint16(length))
		binary.BigEndian.PutUint16(h[c.l3+4:], id)
		binary.BigEndian.PutUint16(h[c.l3+10:], ^fold(c.ip+uint64(length)+uint64(id)))
	} else {
		binary.BigEndian.PutUint16(h[c.l3+4:], uint16(length-ip6Len))
	}
	sum := c.l4 + 6
	if c.tcp {
		sum = c.l4 + 16
		binary.BigEndian.PutUint32(h[c.l4+4:], c.seq+uint32(a*c.size))
		if a > 0 {
			h[c.l4+13] &^= uint8(packet.CWR)
		}
		if b < c.n {
			h[c.l4+13] &^= uint8(packet.FIN | packet.PSH)
		}
	} else {
		binary.BigEndian.PutUint16(h[c.l4+4:], uint16(c.hl-c.l4+n))
	}
	if c.partial {
		binary.BigEndian.PutUint16(h[sum:], fold(c.seed+uint64(c.hl-c.l4+n)))
	}
}

// payload is how many bytes the segments from a up to b carry.
func (c *cutting) payload(a, b int) int {
	return min(c.hl+b*c.size, c.end) - c.hl - a*c.size
}

// fold brings a sum of 16-bit words to 16 bits, ones' complement.
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s>>16 + s&0xffff)
}
