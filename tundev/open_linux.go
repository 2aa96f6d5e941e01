package tundev

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// Open makes the device, or attaches to one that is there, sets it up and brings it up
// (see the package's comment on who leaves what behind). The device belongs to the
// network namespace of the calling thread. On failure everything is undone.
//
// Every error is an *Error or, from setting it up, a *host.Error.
func Open(c Config) (*Device, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c.Kind = cmp.Or(c.Kind, TUN)
	// The descriptor and the netlink socket must be of the same namespace, which is
	// the thread's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	t, s, link, err := c.openHere(true)
	if err != nil {
		return nil, err
	}
	return newDevice(c, t, s, link, true), nil
}

// openHere opens a device of this thread's namespace for this process; create says that
// it may be made.
func (c Config) openHere(create bool) (t tuntap, s *setup, link host.Link, err error) {
	h, watch, err := netlinks()
	if err != nil {
		return t, nil, link, err
	}
	if !create {
		if _, there, no := c.find(h); no != nil {
			err = no
		} else if !there {
			err = &Error{Op: "open", Device: c.Name, Kind: ErrGone, Err: host.ErrNoLink, Fix: "whoever made it makes it again"}
		}
	}
	if err == nil {
		t, s, err = c.open(h, nil)
	}
	if err == nil {
		s.watch = watch
		if link, err = h.Link(t.name); err != nil {
			err = errors.Join(err, s.restore())
			t.close()
		}
	}
	if err != nil {
		h.Close()
		watch.Close()
	}
	return t, s, link, err
}

// netlinks are the sockets of the thread's namespace that a device has.
func netlinks() (*host.Handle, *host.Watch, error) {
	h, err := host.Open()
	if err != nil {
		return nil, nil, err
	}
	w, err := host.OpenWatch() // before the device is looked at: what changes later is heard of
	if err != nil {
		h.Close()
	}
	return h, w, err
}

// OpenFD is [Open] for who opens a device and hands its descriptors on, one for each
// queue, to a process without the right to: there [FromFD] makes a Device of them. The
// descriptors are the caller's. So is what Manage changes on a device that was there before: each change
// is told to note, which may be nil, before it is made, for host.Handle.Undo to take
// back when the device is closed. If note fails the device is not opened.
func OpenFD(c Config, note func(host.Change) error) (fds []int, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c.Kind = cmp.Or(c.Kind, TUN)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	h, err := host.Open()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	t, _, err := c.open(h, note)
	if err != nil {
		return nil, err
	}
	return append([]int{t.fd}, t.more...), nil
}

// open is what both have in common: an attached descriptor, and the host's side set up.
func (c Config) open(h *host.Handle, note func(host.Change) error) (t tuntap, s *setup, err error) {
	was, there, err := c.find(h)
	if err != nil {
		return t, nil, err
	}
	if t, err = openTuntap(node, c, there); err != nil {
		return t, nil, refused(err, c, was)
	}
	// Between the look and the ioctl it may have come or gone. A new device is never
	// persistent yet, and an old one always, as find refuses the others.
	created := !t.persistent()
	if !created && !there {
		c.Name = t.name
		if was, _, err = c.find(h); err != nil {
			t.close()
			return t, nil, err
		}
	}
	s = &setup{h: h, name: t.name, created: created, note: note}
	switch {
	case created:
		err = s.create(c, t.fd)
	case c.Manage:
		err = s.manage(c, was)
	}
	if err == nil && created && c.Persist { // last of all: it cannot fail and stay
		err = s.ioctl(t.fd, "make persistent", unix.TUNSETPERSIST, 1)
	}
	if err != nil {
		err = errors.Join(err, s.restore())
		t.close()
	}
	return t, s, err
}

// find looks for a device of the name asked for, and refuses one that we may not take.
func (c Config) find(h *host.Handle) (was host.Link, there bool, err error) {
	if c.Name == "" {
		return was, false, nil
	}
	was, err = h.Link(c.Name)
	if errors.Is(err, host.ErrNoLink) {
		return was, false, nil
	}
	if err != nil {
		return was, false, err
	}
	e := &Error{Op: "open", Device: c.Name}
	switch {
	case !isTuntap(was):
		e.Kind, e.Fix = ErrMismatch, "it is no TUN or TAP device: choose another name"
	case was.Kind != string(c.Kind):
		e.Kind, e.Fix = ErrMismatch, fmt.Sprintf("it is a %s device: set kind = %q, or choose another name", was.Kind, was.Kind)
	case c.Queues > 1 && !was.MultiQueue:
		e.Kind, e.Fix = ErrMismatch, "it was made for one queue: leave queues out, or make it with `tunscript dev add "+c.Name+" --multi-queue`"
	case !was.Persistent, was.Queues > 0:
		e.Kind, e.Fix = ErrBusy, "one program at a time reads it, and now "+holders(c.Name)+" does: end that one, or choose another name"
	default:
		return was, true, nil
	}
	return was, true, e
}

// FromFD makes a Device of a descriptor of /dev/net/tun that somebody else opened and
// attached: a privileged parent, systemd, a container runtime. More are those of the
// device's further queues. They belong to the Device if there is no error. What it is
// the kernel says, and a Name, Kind or Queues in c that says otherwise is an error; but
// PI must be as it was opened, for that the kernel does not tell. Address, MTU and the
// rest are as with a device that Open finds there; of one in another network namespace
// only c can tell.
func FromFD(fd int, c Config, more ...int) (*Device, error) {
	if c.Queues > 1 && c.Queues != 1+len(more) {
		return nil, &Error{Op: "take over", Device: c.Name, Kind: ErrBadConfig,
			Fix: fmt.Sprintf("one descriptor is one queue: give all %d, or leave queues out", c.Queues)}
	}
	c.Queues = 1 + len(more)
	t, s, link, err := c.takeOver(append([]int{fd}, more...))
	if err != nil {
		return nil, err
	}
	return newDevice(c, t, s, link, false), nil
}

// takeOver looks at descriptors and what is behind them, and completes c.
func (c *Config) takeOver(fds []int) (t tuntap, s *setup, link host.Link, err error) {
	fd := fds[0]
	t, err = query(fd)
	if err != nil {
		return t, nil, link, &Error{Op: "take over", Device: c.Name, Kind: ErrMismatch, Err: err,
			Fix: fmt.Sprintf("descriptor %d must be of %s and have a device (TUNSETIFF)", fd, node)}
	}
	if c.Name != "" && c.Name != t.name {
		return t, nil, link, &Error{Op: "take over", Device: c.Name, Kind: ErrMismatch, Fix: "the descriptor is of " + t.name}
	}
	c.Kind = cmp.Or(c.Kind, t.kind())
	if err := c.check(); err != nil {
		return t, nil, link, err
	}
	for _, fd := range fds {
		q, err := query(fd)
		if err == nil && q.name != t.name {
			err = &Error{Op: "take over", Device: t.name, Kind: ErrMismatch, Fix: "another descriptor is of " + q.name}
		}
		if err == nil {
			err = q.prepare(*c)
		}
		if err != nil {
			return t, nil, link, err
		}
		unix.CloseOnExec(fd)
	}
	t.more = fds[1:]
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s = &setup{name: t.name}
	if !here(fd) {
		if c.Manage {
			return t, nil, link, &Error{Op: "set manage", Device: t.name, Kind: ErrBadConfig,
				Fix: "it is in another network namespace: set it up there, and leave manage out"}
		}
		return t, s, c.described(t), nil
	}
	if s.h, s.watch, err = netlinks(); err != nil {
		return t, nil, link, err
	}
	link, err = s.h.Link(t.name)
	if err == nil && c.Manage {
		err = s.manage(*c, link)
	}
	if err == nil {
		link, err = s.h.Link(t.name)
	}
	if err != nil {
		err = errors.Join(err, s.close())
	}
	return t, s, link, err
}

// here reports that the device of fd is in the namespace of the calling thread. Who may
// not ask (it takes CAP_NET_ADMIN) has no way to be elsewhere either.
func here(fd int) bool {
	ns, err := unix.IoctlRetInt(fd, unix.TUNGETDEVNETNS)
	if err != nil {
		return true
	}
	defer unix.Close(ns)
	var theirs, ours unix.Stat_t
	if unix.Fstat(ns, &theirs) != nil || unix.Stat("/proc/thread-self/ns/net", &ours) != nil {
		return false
	}
	return theirs.Ino == ours.Ino && theirs.Dev == ours.Dev
}

// described is the link as the configuration has it.
func (c Config) described(t tuntap) host.Link {
	l := host.Link{Name: t.name, MTU: cmp.Or(c.MTU, DefaultMTU), Addrs: c.hostAddrs()}
	if c.Kind == TAP {
		l.MAC = c.MAC[:]
	}
	return l
}
