package lab

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// Namespace is a network namespace held by a descriptor. The kernel removes it, and
// the devices in it, when the Namespace is closed and no process is left inside. Safe
// for concurrent use.
type Namespace struct{ f *os.File }

// NewNamespace makes a second network namespace beside the one that the process is
// in, set up as [Enter] sets up the first. It needs the rights that a lab has.
func NewNamespace() (*Namespace, error) {
	var n *Namespace
	err := onThread(func() (bool, error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			if errors.Is(err, os.ErrPermission) {
				return true, &PrivilegeError{
					What: "no right to make a network namespace",
					Fix:  "run it in a lab (`tunscript lab`), or as root",
					Err:  err,
				}
			}
			return true, fmt.Errorf("lab: make a network namespace: %w", err)
		}
		var err error
		if n, err = CurrentNamespace(); err != nil {
			return false, err
		}
		if err = prepareNet(); err != nil {
			n.Close()
		}
		return false, err // never back: the thread ends here
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// CurrentNamespace is the one that the calling thread is in.
func CurrentNamespace() (*Namespace, error) {
	f, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	return &Namespace{f}, nil
}

// Do runs fn in the namespace, on a goroutine and a thread that it has for itself,
// and returns what fn returns. Sockets, TUN devices and processes that fn opens or
// starts belong to the namespace and stay there. Goroutines that fn starts do not run
// in it. t.Fatal must not be called in fn, as in any goroutine but the test's own.
func (n *Namespace) Do(fn func() error) error {
	return onThread(func() (bool, error) {
		back, err := CurrentNamespace()
		if err != nil {
			return true, err
		}
		defer back.Close()
		if err := n.enter(); err != nil {
			return true, err
		}
		err = fn()
		return back.enter() == nil, err
	})
}

// enter moves the calling thread.
func (n *Namespace) enter() error {
	if err := unix.Setns(int(n.f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("lab: enter the network namespace: %w", err)
	}
	return nil
}

// onThread runs fn on a thread of its own. If fn says that the thread is as it was,
// it goes back to the runtime's; else it ends with the goroutine, for no other code
// may run where fn has left it. The process's first thread never ends, but sleeps, and
// would hold a namespace for as long as the process lives: it is passed over.
func onThread(fn func() (clean bool, err error)) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			done <- onThread(fn)
			return
		}
		err := errors.New("lab: the function ended its goroutine")
		defer func() { done <- err }()
		var clean bool
		if clean, err = fn(); clean {
			runtime.UnlockOSThread()
		}
	}()
	return <-done
}

// Host opens a handle on the namespace's links. Close it when done.
func (n *Namespace) Host() (h *host.Handle, err error) {
	err = n.Do(func() error {
		h, err = host.Open()
		return err
	})
	return h, err
}

// Adopt moves a device from the calling thread's namespace into this one. It arrives
// down and without addresses; a descriptor open on it goes on working.
func (n *Namespace) Adopt(device string) error {
	h, err := host.Open()
	if err != nil {
		return err
	}
	defer h.Close()
	return h.Move(device, int(n.f.Fd()))
}

// Close lets go of it. Idempotent.
func (n *Namespace) Close() error {
	if err := n.f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("lab: %w", err)
	}
	return nil
}
