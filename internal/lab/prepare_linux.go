package lab

import (
	"errors"
	"fmt"
	"os"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// prepare is what the child does first.
func prepare() error {
	ownProc()
	if err := prepareNet(); err != nil {
		return err
	}
	return tryTun()
}

// ownProc puts a /proc over the old one that shows the processes of the lab. Where a
// container hides parts of /proc the kernel refuses, and the old one stays: it serves
// this program as well, only ps and the like then show the processes outside.
func ownProc() {
	// Without this root's mount would show in the namespace we came from.
	if unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, "") != nil {
		return
	}
	unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}

// prepareNet makes the network namespace of the calling thread usable.
func prepareNet() error {
	h, err := host.Open()
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	defer h.Close()
	if err := h.SetUp("lo"); err != nil {
		if errors.Is(err, os.ErrPermission) {
			return powerless(err, os.DirFS("/proc/sys"))
		}
		return fmt.Errorf("lab: %w", err)
	}
	return setSysctls("/proc/sys")
}

// tryTun opens and closes the clone device, which makes no device yet.
func tryTun() error {
	const path = "/dev/net/tun"
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return tunError(path, err)
	}
	return unix.Close(fd)
}
