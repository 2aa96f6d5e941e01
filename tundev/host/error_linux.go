package host

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// fixes say, per cause, what to do about it in one operation. They go before the
// advice that holds whatever the operation.
type fixes map[error]string

// fail turns an error of the netlink library into ours; nil stays nil.
func fail(op, device string, err error, fix fixes) error {
	if err == nil {
		return nil
	}
	e := &Error{Op: op, Device: device, Err: err}
	for is, f := range fix {
		if errors.Is(err, is) {
			e.Fix = f
			return e
		}
	}
	if errors.As(err, new(netlink.LinkNotFoundError)) || errors.Is(err, unix.ENODEV) {
		e.Err = ErrNoLink
		e.Fix = "see `ip link`; devices of another network namespace are not in it"
		return e
	}
	if errors.Is(err, os.ErrClosed) {
		e.Fix = "open another Handle, in the namespace that is meant"
		return e
	}
	no, _ := errors.AsType[unix.Errno](err)
	switch no {
	case unix.EPERM, unix.EACCES:
		e.Fix = "this needs CAP_NET_ADMIN: run it as root, give the binary the capability " +
			"(setcap cap_net_admin+ep FILE), or use `tunscript lab`, which needs no root"
	case unix.EAFNOSUPPORT, unix.EOPNOTSUPP:
		e.Fix = "the kernel does not offer this for the device, or IPv6 is switched off (ipv6.disable=1)"
	case unix.EBUSY:
		e.Fix = fmt.Sprintf("take the device down first: ip link set %s down", device)
	}
	return e
}
