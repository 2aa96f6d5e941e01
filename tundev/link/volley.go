package link

import (
	"net"
	"net/netip"
)

// A volley is datagrams of one size, of which the last may be shorter, that leave by one
// system call: where the kernel can cut them (UDP_SEGMENT, Linux 4.18), one that costs not
// much more than a single one.
type volley struct {
	n     *counters
	c     *net.UDPConn
	buf   []byte
	oob   []byte
	plain bool // the kernel does not, or not that size on that way
}

const (
	volleyFrames = 64    // UDP_MAX_SEGMENTS before Linux 6.9
	volleyBytes  = 65000 // a little less than what a datagram can be, in either family
)

// send sends the first of frames, which appendFrame wrote, and those behind it that may go
// with it, and returns the rest. An error is that of the last one; they are counted.
func (v *volley) send(frames []byte, to netip.AddrPort) (rest []byte, err error) {
	first, rest := cutFrame(frames)
	if v.plain || !follows(rest, len(first)) {
		v.one(first, to, &err)
		return rest, err
	}
	count, size := uint64(1), len(first)
	v.buf = append(v.buf[:0], first...)
	for follows(rest, size) && count < volleyFrames && len(v.buf)+size <= volleyBytes {
		var f []byte
		f, rest = cutFrame(rest)
		v.buf = append(v.buf, f...)
		count++
		if len(f) < size {
			break
		}
	}
	if v.oob = cutInto(v.oob, size); v.oob != nil {
		if _, _, err = v.c.WriteMsgUDPAddrPort(v.buf, v.oob, to); err == nil {
			v.n.sent.Add(count)
			return rest, nil
		}
	}
	// The size is more than the way takes, or the device lacks what it takes: one by one
	// the kernel makes fragments, or says what is wrong.
	v.plain = true
	for b := v.buf; len(b) > 0; b = b[min(size, len(b)):] {
		v.one(b[:min(size, len(b))], to, &err)
	}
	return rest, err
}

// follows says whether the first frame of rest may go with one of that size before it.
func follows(rest []byte, size int) bool {
	if len(rest) == 0 {
		return false
	}
	f, _ := cutFrame(rest)
	return len(f) <= size
}

func (v *volley) one(b []byte, to netip.AddrPort, err *error) {
	if _, *err = v.c.WriteToUDPAddrPort(b, to); *err != nil { // no route, no memory: this one is lost
		v.n.failed.Add(1)
		return
	}
	v.n.sent.Add(1)
}
