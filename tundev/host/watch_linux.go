package host

import (
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A Watch hears of changes to the links of one network namespace, and to their addresses.
// One goroutine calls Next; Close may come from any. The zero Watch is a closed one.
type Watch struct {
	f    *os.File // nil: nobody has opened it
	buf  [16 << 10]byte
	rest []byte // read and not yet told
}

// OpenWatch makes a Watch of the network namespace of the calling thread. It hears what
// happens from now on.
func OpenWatch() (*Watch, error) {
	const op = "watch devices"
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fail(op, "", err, nil)
	}
	groups := unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: uint32(groups)}); err != nil {
		unix.Close(fd)
		return nil, fail(op, "", err, nil)
	}
	return &Watch{f: os.NewFile(uintptr(fd), "netlink")}, nil
}

// Next waits until something about a link has changed, and returns the link's index; 0 is
// any of them, when more has happened at once than the kernel keeps. After Close it is an
// error that wraps os.ErrClosed.
func (w *Watch) Next() (index int, err error) {
	if w.f == nil {
		return 0, &Error{Op: "watch devices", Err: os.ErrClosed}
	}
	for {
		if index, ok := w.next(); ok {
			return index, nil
		}
		n, err := w.f.Read(w.buf[:])
		if errors.Is(err, unix.ENOBUFS) {
			return 0, nil
		}
		if err != nil {
			return 0, &Error{Op: "watch devices", Err: err}
		}
		w.rest = w.buf[:n]
	}
}

// next takes one message of rest: a struct nlmsghdr, and behind it a struct ifinfomsg or
// ifaddrmsg, both of which have the index at 4.
func (w *Watch) next() (index int, ok bool) {
	for len(w.rest) >= unix.SizeofNlMsghdr {
		size := int(binary.NativeEndian.Uint32(w.rest))
		kind := binary.NativeEndian.Uint16(w.rest[4:])
		if size < unix.SizeofNlMsghdr || size > len(w.rest) {
			break
		}
		body := w.rest[unix.SizeofNlMsghdr:size]
		w.rest = w.rest[min(len(w.rest), (size+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):]
		switch kind {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK, unix.RTM_NEWADDR, unix.RTM_DELADDR:
			if len(body) >= 8 {
				return int(int32(binary.NativeEndian.Uint32(body[4:]))), true
			}
		}
	}
	w.rest = nil
	return 0, false
}

// Close ends Next. Closing twice does nothing.
func (w *Watch) Close() error {
	if w.f == nil {
		return nil
	}
	if err := w.f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return &Error{Op: "watch devices", Err: err}
	}
	return nil
}
