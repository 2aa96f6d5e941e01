package host

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Handle is a netlink socket in one network namespace. Its methods may be called
// from several goroutines. Close it when done. The zero Handle is a closed one.
type Handle struct {
	nl     *netlink.Handle   // nil: nobody has opened it
	raw    *nl.NetlinkSocket // for what the library does not tell
	closed atomic.Bool
	close  func() // ends both, once
}

// Open makes a Handle for the network namespace of the calling thread.
func Open() (*Handle, error) {
	lib, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fail("open netlink socket", "", err, nil)
	}
	const here = -1 // the namespace of the thread, for both
	raw, err := nl.GetNetlinkSocketAt(here, here, unix.NETLINK_ROUTE)
	if err != nil {
		lib.Close()
		return nil, fail("open netlink socket", "", err, nil)
	}
	// A closed handle of the library asks by a new socket at each call, in the namespace
	// of whatever thread makes it. This copy keeps the one that is closed.
	use := *lib
	return &Handle{nl: &use, raw: raw, close: sync.OnceFunc(func() {
		lib.Close()
		raw.Close()
	})}, nil
}

// Close releases the socket: calls after it are an error that wraps os.ErrClosed.
// Idempotent.
func (h *Handle) Close() error {
	if h.closed.Store(true); h.nl != nil {
		h.close()
	}
	return nil
}

// usable is os.ErrClosed once the handle is closed.
func (h *Handle) usable() error {
	if h.nl == nil || h.closed.Load() {
		return os.ErrClosed
	}
	return nil
}

// SetMTU sets the largest packet in bytes: TUN takes 68 to 65535, TAP 68 to 65521.
// Below 1280 the kernel takes IPv6 off the link.
func (h *Handle) SetMTU(name string, mtu int) error {
	return h.change(name, fmt.Sprintf("set mtu %d", mtu), func(l netlink.Link) error {
		return h.nl.LinkSetMTU(l, mtu)
	}, fixes{unix.EINVAL: "TUN takes 68 to 65535, TAP 68 to 65521"})
}

// SetTxQueueLen sets how many packets the kernel keeps for a reader that is behind.
func (h *Handle) SetTxQueueLen(name string, packets int) error {
	op := fmt.Sprintf("set txqueuelen %d", packets)
	if packets < 0 {
		return &Error{Op: op, Device: name, Err: unix.EINVAL, Fix: "a number of packets, 500 is the kernel's own"}
	}
	return h.change(name, op, func(l netlink.Link) error {
		return h.nl.LinkSetTxQLen(l, packets)
	}, nil)
}

// SetMAC sets the hardware address, which TAP has and TUN has not.
func (h *Handle) SetMAC(name string, mac net.HardwareAddr) error {
	return h.change(name, "set mac "+mac.String(), func(l netlink.Link) error {
		return h.nl.LinkSetHardwareAddr(l, mac)
	}, fixes{
		unix.EOPNOTSUPP:    "a TUN device carries IP packets and has no MAC: use TAP",
		unix.EINVAL:        "a MAC has six bytes, as 02:00:00:00:00:01; a TUN device has none",
		unix.EADDRNOTAVAIL: "a device's MAC is not a group address: make its first byte even, as 02",
	})
}

// NoLinkLocal keeps the kernel from making up an IPv6 address for the link. It acts
// when the link goes up, so call it before [Handle.SetUp]. Without IPv6 in the
// kernel there is nothing to do.
func (h *Handle) NoLinkLocal(name string) error {
	const none = 1 // IN6_ADDR_GEN_MODE_NONE
	return h.change(name, "set addrgenmode none", func(l netlink.Link) error {
		err := h.nl.LinkSetIP6AddrGenMode(l, none)
		if errors.Is(err, unix.EAFNOSUPPORT) {
			return nil
		}
		return err
	}, nil)
}

// SetUp brings the link up.
func (h *Handle) SetUp(name string) error {
	return h.change(name, "bring up", func(l netlink.Link) error { return h.nl.LinkSetUp(l) }, nil)
}

// SetDown takes the link down. The kernel forgets its routes and its IPv6 addresses.
func (h *Handle) SetDown(name string) error {
	return h.change(name, "take down", func(l netlink.Link) error { return h.nl.LinkSetDown(l) }, nil)
}

// Move puts the link into the network namespace that the descriptor netns stands for.
// It arrives down and without addresses; a TUN descriptor on it goes on working.
func (h *Handle) Move(name string, netns int) error {
	return h.change(name, "move to another namespace", func(l netlink.Link) error {
		return h.nl.LinkSetNsFd(l, netns)
	}, fixes{
		unix.EEXIST: "a device of this name is there already: rename one of them",
		unix.EINVAL: "the descriptor is not of a network namespace, or the device may not leave its own, as lo",
		unix.EBADF:  "the namespace has been closed",
	})
}

// change finds the link and does one thing to it.
func (h *Handle) change(name, op string, do func(netlink.Link) error, fix fixes) error {
	if err := h.usable(); err != nil {
		return fail(op, name, err, nil)
	}
	l, err := h.nl.LinkByName(name)
	if err != nil {
		return fail(op, name, err, nil)
	}
	return fail(op, name, do(l), fix)
}
