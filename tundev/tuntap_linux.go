package tundev

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// node is where the driver is reached.
const node = "/dev/net/tun"

const heldFix = "one program at a time reads it: `sudo fuser -v " + node + "` lists those that hold a device"

// A tuntap is an attached descriptor and what the kernel says it is.
type tuntap struct {
	fd    int
	more  []int // the descriptors of further queues
	name  string
	flags uint16 // of TUNGETIFF
}

func (t tuntap) persistent() bool { return t.flags&unix.IFF_PERSIST != 0 }

// vnet reports that packets begin with a vnet header: of a device with several queues
// what the first asked for, of a descriptor that somebody else opened what that one did.
func (t tuntap) vnet() bool { return t.flags&unix.IFF_VNET_HDR != 0 }

// vnet reports that the vnet header is asked for.
func (c Config) vnet() bool { return c.Offload != OffloadOff && !c.PI }

func (t tuntap) kind() Kind {
	if t.flags&unix.IFF_TAP != 0 {
		return TAP
	}
	return TUN
}

// flags are those of TUNSETIFF that c asks for.
func (c Config) flags() uint16 {
	flags := uint16(unix.IFF_TUN)
	if c.Kind == TAP {
		flags = unix.IFF_TAP
	}
	if !c.PI {
		flags |= unix.IFF_NO_PI
	}
	if c.vnet() {
		flags |= unix.IFF_VNET_HDR
	}
	if c.Queues > 1 {
		flags |= unix.IFF_MULTI_QUEUE
	}
	return flags
}

// openTuntap opens path and attaches it to c.Name, in the order that works: TUNSETIFF
// first and O_NONBLOCK after. there says that a device of that name exists.
func openTuntap(path string, c Config, there bool) (tuntap, error) {
	tries := []uint16{c.flags()}
	if there && c.Queues <= 1 { // one made for several queues takes only who says so, too
		tries = append(tries, c.flags()|unix.IFF_MULTI_QUEUE)
	}
	return openWith(path, c, there, tries...)
}

// openWith tries these flags in turn while the kernel calls them wrong for the device.
func openWith(path string, c Config, there bool, tries ...uint16) (t tuntap, err error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return t, c.openError(path, err)
	}
	for _, flags := range tries {
		if t, err = attach(fd, c.Name, flags); !errors.Is(err, unix.EINVAL) {
			break
		}
	}
	if err != nil {
		unix.Close(fd)
		return t, c.attachError(err, there)
	}
	if err = t.prepare(c); err == nil {
		err = t.openMore(path, c)
	}
	if err != nil {
		t.close()
	}
	return t, err
}

// openMore opens and attaches the other queues of a device that has several.
func (t *tuntap) openMore(path string, c Config) error {
	c.Name = t.name
	for range c.Queues - 1 {
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return c.openError(path, err)
		}
		t.more = append(t.more, fd)
		q, err := attach(fd, t.name, c.flags())
		if err != nil {
			return c.attachError(err, true)
		}
		if err := q.prepare(c); err != nil {
			return err
		}
	}
	return nil
}

// attach is TUNSETIFF, and TUNGETIFF for what became of it: on a device with several
// queues the kernel goes by the flags of the first and ignores ours. One of them it does
// not tell: IFF_NO_PI is also IFF_NOFILTER, which TUNGETIFF sets where no filter is.
func attach(fd int, name string, flags uint16) (tuntap, error) {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return tuntap{}, err
	}
	ifr.SetUint16(flags)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		return tuntap{}, err
	}
	return query(fd)
}

func query(fd int) (tuntap, error) {
	ifr, err := unix.NewIfreq("")
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.TUNGETIFF, ifr)
	}
	if err != nil {
		return tuntap{}, err
	}
	return tuntap{fd: fd, name: ifr.Name(), flags: ifr.Uint16()}, nil
}

// close lets go of the device. The mask of offloads would stay with one that is
// persistent, and whoever attaches next may not expect it.
func (t tuntap) close() error {
	_ = unix.IoctlSetInt(t.fd, unix.TUNSETOFFLOAD, 0) // the device may be gone
	for _, fd := range t.more {
		unix.Close(fd)
	}
	return unix.Close(t.fd)
}

// prepare checks what we got and makes it ready to be read.
func (t tuntap) prepare(c Config) error {
	mismatch := func(fix string, args ...any) error {
		return &Error{Op: "open", Device: t.name, Kind: ErrMismatch, Fix: fmt.Sprintf(fix, args...)}
	}
	switch {
	case t.kind() != c.Kind:
		return mismatch("it is a %s device: set kind = %q", t.kind(), t.kind())
	case t.vnet() && !c.vnet():
		return mismatch("its packets begin with a vnet header, which whoever opened it first asked for: close that, or leave offload and pi out")
	}
	// The mask of segmentation offload belongs to the device and outlives descriptors.
	// Without the vnet header, super-packets of 60 KB would come unannounced.
	set := func(mask int) error { return unix.IoctlSetInt(t.fd, unix.TUNSETOFFLOAD, mask) }
	var err error
	if t.vnet() {
		if err = unix.IoctlSetPointerInt(t.fd, unix.TUNSETVNETHDRSZ, vnetLen); err == nil {
			_, err = negotiate(set)
		}
	} else {
		err = set(0)
	}
	if err == nil {
		err = unix.SetNonblock(t.fd, true)
	}
	if err != nil {
		return &Error{Op: "open", Device: t.name, Kind: ErrGone, Err: err, Fix: "somebody deleted it meanwhile: try again"}
	}
	return nil
}

// openError explains open(2) on the node.
func (c Config) openError(path string, err error) error {
	e := &Error{Op: "open " + path, Device: c.Name, Kind: ErrNoTunDevice, Err: err}
	no, _ := errors.AsType[unix.Errno](err)
	switch no {
	case unix.ENOENT:
		e.Fix = "load the module with `sudo modprobe tun`; in a container, start it with --device " + node +
			" or make the node: mkdir -p /dev/net && mknod " + node + " c 10 200"
	case unix.ENODEV, unix.ENXIO:
		e.Fix = "the node is there and the driver is not: sudo modprobe tun"
	case unix.EACCES, unix.EPERM:
		e.Kind = ErrPermission
		e.Fix = "run it as root, or let everybody open the node, as most distributions do (sudo chmod 666 " + node + "), " +
			"and have root make the device for you: " + c.forUser()
	case unix.EMFILE, unix.ENFILE:
		e.Kind, e.Fix = ErrBusy, "too many files are open: ulimit -n"
	default:
		e.Fix = "see `ls -l " + node + "` and `modinfo tun`"
	}
	return e
}

// forUser is the command by which root makes the device for who asks, once and for all.
func (c Config) forUser() string {
	mode := ""
	if c.Kind == TAP {
		mode = " --mode tap"
	}
	return "sudo tunscript dev add " + c.Name + mode + " --user $USER"
}

// attachError explains TUNSETIFF.
func (c Config) attachError(err error, there bool) error {
	e := &Error{Op: "open", Device: c.Name, Kind: ErrMismatch, Err: err}
	no, _ := errors.AsType[unix.Errno](err)
	switch no {
	case unix.EPERM, unix.EACCES:
		e.Kind = ErrPermission
		e.Fix = "making a device needs CAP_NET_ADMIN: try it in `tunscript lab`, which needs no root, " +
			"run it as root, or have root make the device for you: " + c.forUser()
		if there {
			e.Fix = "only its owner, its group and CAP_NET_ADMIN may open it: `tunscript dev show " + c.Name +
				"` says whose it is; root makes it yours with dev del, and then " + c.forUser()
		}
	case unix.EBUSY, unix.E2BIG: // E2BIG: of several queues, all are taken
		e.Kind = ErrBusy
		e.Fix = heldFix
	case unix.ENFILE:
		e.Kind, e.Fix = ErrBadName, "every number that fits the pattern is taken"
	case unix.EINVAL:
		e.Fix = "see `ip -d link show " + c.Name + "`: it must be a " + string(c.Kind) + " device"
		if c.Queues > 1 {
			e.Fix += ", made for several queues (`ip tuntap add ... multi_queue`), or else queues must be 1"
		}
		if !there {
			e.Kind, e.Fix = ErrBadName, "the kernel does not take it: use letters, digits, - and _"
		}
	}
	return e
}
