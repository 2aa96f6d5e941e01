package tundev

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// Create makes a persistent device in the network namespace of the calling thread, down
// and without addresses, and returns its name. One that exists is left as it is: the
// error wraps ErrExists, and says in what it differs.
func Create(p Persistent) (name string, err error) {
	c := p.config()
	c.Kind = cmp.Or(c.Kind, TUN)
	if c.Name == "" {
		return "", &Error{Op: "create", Kind: ErrBadName, Fix: `name it, as "tun0", or "tun%d" for the next free number`}
	}
	check := c
	check.Persist = false // a pattern is refused to who starts again and again
	if err := check.check(); err != nil {
		return "", err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	h, err := host.Open()
	if err != nil {
		return "", err
	}
	defer h.Close()
	if was, err := h.Link(c.Name); err == nil {
		return "", &Error{Op: "create", Device: c.Name, Kind: ErrExists, Fix: p.differs(was)}
	} else if !errors.Is(err, host.ErrNoLink) {
		return "", err
	}
	flags := c.flags() | unix.IFF_TUN_EXCL // else one that came meanwhile would be taken over
	if p.MultiQueue {
		flags |= unix.IFF_MULTI_QUEUE
	}
	t, err := openWith(node, c, false, flags)
	if err != nil {
		return "", err
	}
	defer t.close()
	s := &setup{h: h, name: t.name}
	if err := s.own(c, t.fd); err != nil {
		return "", err
	}
	return t.name, s.ioctl(t.fd, "make persistent", unix.TUNSETPERSIST, 1)
}

// differs says what a device that exists is, and is not, of what was asked for.
func (p Persistent) differs(was host.Link) string {
	kind := cmp.Or(p.Kind, TUN)
	var not []string
	differ := func(yes bool, format string, args ...any) {
		if yes {
			not = append(not, fmt.Sprintf(format, args...))
		}
	}
	if !isTuntap(was) {
		return "it is no TUN or TAP device: choose another name"
	}
	id := func(name string, lookup lookup) int {
		n, err := account(name, lookup)
		if name == "" || err != nil {
			return -1
		}
		return n
	}
	differ(was.Kind != string(kind), "it is a %s device, not %s", was.Kind, kind)
	differ(was.MultiQueue && !p.MultiQueue, "it takes several queues")
	differ(!was.MultiQueue && p.MultiQueue, "it was made for one queue")
	differ(!was.Persistent, "it goes when the program that made it ends")
	differ(was.Owner != id(p.Owner, userID), "its owner is %s", accountOf(was.Owner, userName))
	differ(was.Group != id(p.Group, groupID), "its group is %s", accountOf(was.Group, groupName))
	if len(not) == 0 {
		return "use it as it is, or choose another name"
	}
	return strings.Join(not, "; ") + ": delete it first, with `tunscript dev del " + was.Name + "`, or choose another name"
}

func isTuntap(l host.Link) bool { return l.Kind == string(TUN) || l.Kind == string(TAP) }

// Delete ends a persistent device of the calling thread's namespace. One that somebody
// has open stays, and the error says who; so does what is no TUN or TAP device.
func Delete(name string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	h, err := host.Open()
	if err != nil {
		return err
	}
	defer h.Close()
	was, err := h.Link(name)
	if err != nil {
		return err
	}
	wrong := func(kind error, fix string) error {
		return &Error{Op: "delete", Device: name, Kind: kind, Fix: fix}
	}
	switch {
	case !isTuntap(was):
		return wrong(ErrMismatch, "it is no TUN or TAP device: leave it to who made it")
	case !was.Persistent, was.Queues > 0:
		return wrong(ErrBusy, "end "+holders(name)+" first")
	}
	c := Config{Name: name, Kind: Kind(was.Kind), Offload: OffloadOff}
	flags := c.flags()
	if was.MultiQueue {
		flags |= unix.IFF_MULTI_QUEUE
	}
	t, err := openWith(node, c, true, flags)
	if err != nil {
		if e, ok := errors.AsType[*Error](refused(err, c, was)); ok {
			e.Op = "delete"
		}
		return err
	}
	err = (&setup{h: h, name: name}).ioctl(t.fd, "delete", unix.TUNSETPERSIST, 0)
	return errors.Join(err, t.close())
}
