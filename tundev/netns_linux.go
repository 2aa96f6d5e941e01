package tundev

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// A netns is a network namespace, which belongs to a thread: what opens a device later
// may run on any.
type netns struct{ fd int }

// openNetns is the namespace of the calling thread, nil where /proc does not tell.
func openNetns() *netns {
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return &netns{fd}
}

// close closes it, once.
func (n *netns) close() {
	if n != nil && n.fd >= 0 {
		unix.Close(n.fd)
		n.fd = -1
	}
}

// do runs fn on a thread that is in the namespace. To enter it, if that is not where the
// thread is, takes CAP_SYS_ADMIN.
func (n *netns) do(fn func() error) error {
	runtime.LockOSThread()
	was := openNetns()
	defer was.close()
	if n == nil || was == nil || same(n.fd, was.fd) {
		defer runtime.UnlockOSThread()
		return fn()
	}
	if err := unix.Setns(n.fd, unix.CLONE_NEWNET); err != nil {
		defer runtime.UnlockOSThread()
		return &Error{Op: "enter its network namespace", Kind: ErrPermission, Err: err,
			Fix: "it takes CAP_SYS_ADMIN: run the whole process in that namespace (ip netns exec)"}
	}
	defer func() {
		if unix.Setns(was.fd, unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		} // else the thread is nobody's any more, and ends with its goroutine
	}()
	return fn()
}

// same reports that two descriptors are of one namespace.
func same(a, b int) bool {
	var sa, sb unix.Stat_t
	return unix.Fstat(a, &sa) == nil && unix.Fstat(b, &sb) == nil && sa.Ino == sb.Ino && sa.Dev == sb.Dev
}
