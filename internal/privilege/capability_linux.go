package privilege

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// allThreads makes a system call on every thread. The syscall package's own can do that
// only where cgo is off.
func allThreads(trap, a, b, c uintptr) error {
	if _, _, errno := psx.Syscall6(trap, a, b, c, 0, 0, 0); errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}

// KeepOnly gives up every capability but those named, as far as the process has them,
// and with no_new_privs the chance to get one back from a program that is started. The
// bounding set goes, too, where the process may do that.
func KeepOnly(caps ...int) error {
	if err := bound(caps); err != nil {
		return err
	}
	return keep(caps)
}

// Drop becomes somebody else, without a capability and without any further group, and
// cannot get one back; see [KeepOnly].
func Drop(id Identity) error {
	if err := bound(nil); err != nil { // takes a capability, which goes with the user
		return err
	}
	if err := become(id); err != nil {
		return err
	}
	return keep(nil)
}

// bound is about what programs that are started could have.
func bound(caps []int) error {
	// Without CAP_SETPCAP this is refused, and no_new_privs has to do.
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if slices.Contains(caps, int(c)) {
			continue
		}
		err := allThreads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0)
		if errors.Is(err, unix.EPERM) {
			break
		}
		if err != nil && !errors.Is(err, unix.EINVAL) { // an older kernel does not know the last ones
			return fmt.Errorf("drop capabilities: %w", err)
		}
	}
	if err := allThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	if err := allThreads(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return nil
}

// keep is about what this process has.
func keep(caps []int) error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var set [2]unix.CapUserData
	if err := unix.Capget(&head, &set[0]); err != nil {
		return fmt.Errorf("look at capabilities: %w", err)
	}
	for i := range set {
		var mask uint32
		for _, c := range caps {
			if c/32 == i {
				mask |= 1 << (c % 32)
			}
		}
		set[i].Permitted &= mask
		set[i].Effective = set[i].Permitted
		set[i].Inheritable = 0
	}
	err := allThreads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&set[0])), 0)
	if err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return nil
}

// become changes user and group, for good, and leaves every other group. Who is that
// somebody already, as whom a service manager started it, has its groups from there.
func become(id Identity) error {
	ruid, euid, suid := unix.Getresuid()
	rgid, egid, sgid := unix.Getresgid()
	is := func(id, r, e, s int) bool { return id < 0 || id == r && id == e && id == s }
	if is(id.UID, ruid, euid, suid) && is(id.GID, rgid, egid, sgid) {
		return nil
	}
	explain := func(what string, err error) error {
		if errors.Is(err, unix.EPERM) {
			return fmt.Errorf("%s: %w: start it as root, or leave engine.user and engine.group out", what, err)
		}
		if errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("%s: %w: nobody has that number in this user namespace, see /proc/self/uid_map", what, err)
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := syscall.Setgroups(nil); err != nil {
		return explain("leave groups", err)
	}
	if id.GID >= 0 {
		if err := syscall.Setresgid(id.GID, id.GID, id.GID); err != nil {
			return explain(fmt.Sprintf("become group %d", id.GID), err)
		}
	}
	if id.UID >= 0 {
		if err := syscall.Setresuid(id.UID, id.UID, id.UID); err != nil {
			return explain(fmt.Sprintf("become user %d", id.UID), err)
		}
	}
	return nil
}
