package tundev

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// setup is the host's side of one device, and how to put it back.
type setup struct {
	h       *host.Handle            // nil for a device of another namespace
	watch   *host.Watch             // of the same one
	name    string                  // by which it was opened
	created bool                    // it is our own
	undo    []host.Change           // last done, first undone
	note    func(host.Change) error // is told of each before it is done; may be nil
}

// create sets up a device that we made. There is nothing to put back: it disappears
// with its descriptor.
func (s *setup) create(c Config, fd int) error {
	o := host.Settings{
		MTU: c.MTU, TxQueueLen: cmp.Or(c.TxQueueLen, DefaultTxQueueLen), MAC: hardware(c.MAC),
		Addrs: c.hostAddrs(), Up: true, Routes: c.Route,
		// Without an IPv6 address of ours the kernel's own would only make noise.
		NoLinkLocal: !slices.ContainsFunc(c.Address, func(p netip.Prefix) bool { return p.Addr().Is6() }),
	}
	for i := range o.Addrs {
		o.Addrs[i].NoDAD = true // nobody else is on this wire yet
	}
	if err := s.h.Apply(s.name, o); err != nil {
		return err
	}
	return s.own(c, fd)
}

// own says who may attach without privilege, as long as the device lives.
func (s *setup) own(c Config, fd int) error {
	if c.Owner != "" {
		id, err := account(c.Owner, userID)
		if err != nil {
			return &Error{Op: "set owner", Device: s.name, Kind: ErrBadConfig, Err: err, Fix: "see `getent passwd`, or write the number"}
		}
		if err := s.ioctl(fd, "set owner", unix.TUNSETOWNER, id); err != nil {
			return err
		}
	}
	if c.Group != "" {
		id, err := account(c.Group, groupID)
		if err != nil {
			return &Error{Op: "set group", Device: s.name, Kind: ErrBadConfig, Err: err, Fix: "see `getent group`, or write the number"}
		}
		return s.ioctl(fd, "set group", unix.TUNSETGROUP, id)
	}
	return nil
}

func account(name string, find lookup) (int, error) {
	id := name
	if _, err := strconv.ParseUint(name, 10, 32); err != nil {
		if id, err = find(name); err != nil {
			return 0, err
		}
	}
	return strconv.Atoi(id)
}

// ioctl is one of those of the driver that take a number by value.
func (s *setup) ioctl(fd int, op string, req uint, v int) error {
	err := unix.IoctlSetInt(fd, req, v)
	if err == nil {
		return nil
	}
	e := &Error{Op: op, Device: s.name, Kind: ErrBadConfig, Err: err}
	if errors.Is(err, unix.EINVAL) { // make_kuid found nobody
		e.Fix = fmt.Sprintf("%d is nobody in this user namespace: see /proc/self/uid_map", v)
	}
	return e
}

// manage sets up a device that was there, step by step, and remembers each.
func (s *setup) manage(c Config, was host.Link) error {
	h, name := s.h, s.name
	var err error
	do := func(change bool, f func() error, back host.Change) {
		if err != nil || !change {
			return
		}
		back.Device, back.Index = name, was.Index
		if s.note != nil {
			if err = s.note(back); err != nil {
				return
			}
		}
		if err = f(); err == nil {
			s.undo = append(s.undo, back)
		}
	}
	do(c.MTU != 0 && c.MTU != was.MTU,
		func() error { return h.SetMTU(name, c.MTU) },
		host.Change{Kind: host.KindMTU, Number: was.MTU})
	do(c.TxQueueLen != 0 && c.TxQueueLen != was.TxQueueLen,
		func() error { return h.SetTxQueueLen(name, c.TxQueueLen) },
		host.Change{Kind: host.KindTxQueueLen, Number: was.TxQueueLen})
	mac := hardware(c.MAC)
	do(mac != nil && !slices.Equal(mac, was.MAC),
		func() error { return h.SetMAC(name, mac) },
		host.Change{Kind: host.KindMAC, Text: was.MAC.String()})
	do(!was.Up,
		func() error { return h.SetUp(name) },
		host.Change{Kind: host.KindUp})
	for _, a := range c.hostAddrs() {
		do(!hasAddr(was.Addrs, a.Prefix),
			func() error { return h.AddAddr(name, a) },
			host.Change{Kind: host.KindAddr, Prefix: a.Prefix, Peer: a.Peer})
	}
	for _, r := range c.Route {
		if err != nil {
			break
		}
		var has bool
		if has, err = h.HasRoute(name, r); err == nil {
			do(!has,
				func() error { return h.AddRoute(name, r) },
				host.Change{Kind: host.KindRoute, Prefix: r})
		}
	}
	return err
}

// restore puts back what manage changed, as far as it goes. A device that was deleted
// meanwhile needs nothing.
func (s *setup) restore() error {
	var errs []error
	for _, back := range slices.Backward(s.undo) {
		if err := s.h.Undo(back); err != nil && !errors.Is(err, host.ErrNoLink) {
			errs = append(errs, err)
		}
	}
	s.undo = nil
	return errors.Join(errs...)
}

// close puts back and lets go of the netlink sockets.
func (s *setup) close() error {
	err := s.restore()
	if s.h != nil {
		s.h.Close()
		s.watch.Close()
		s.h, s.watch = nil, nil
	}
	return err
}

// hostAddrs are the addresses with their peers.
func (c Config) hostAddrs() []host.Addr { return host.Pair(c.Address, c.Peer) }

func hasAddr(list []host.Addr, p netip.Prefix) bool {
	return slices.ContainsFunc(list, func(a host.Addr) bool { return a.Prefix == p })
}

// hardware is nil for the zero MAC: leave it as it is.
func hardware(m packet.MAC) net.HardwareAddr {
	if m == (packet.MAC{}) {
		return nil
	}
	return m[:]
}
