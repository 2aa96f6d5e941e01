package link

import (
	"encoding/binary"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wantJoined asks the kernel to hand over several datagrams of one size at once (UDP_GRO,
// Linux 5.0). One that cannot does not.
func wantJoined(c *net.UDPConn) {
	if raw, err := c.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_GRO, 1) })
	}
}

// joined is the size of the datagrams that a control message says were joined; 0: it is
// one.
func joined(oob []byte) int {
	for len(oob) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return 0
		}
		if h.Level == unix.SOL_UDP && h.Type == unix.UDP_GRO && len(data) >= 4 {
			return int(binary.NativeEndian.Uint32(data))
		}
		oob = rest
	}
	return 0
}

// cutInto is a control message that has the kernel cut what is sent into datagrams of size
// bytes. It is written into oob, if that is large enough.
func cutInto(oob []byte, size int) []byte {
	if n := unix.CmsgSpace(2); len(oob) != n {
		oob = make([]byte, n)
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(oob[unix.CmsgLen(0):], uint16(size))
	return oob
}
