package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

const node = "/dev/net/tun"

// checkNode: the driver is reached through a node, which is missing, closed, or without
// a driver behind it.
func checkNode(v *view) ([]Finding, error) {
	fd, err := unix.Open(node, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
		return nil, nil
	}
	f := Finding{Check: "node"}
	switch {
	case errors.Is(err, fs.ErrNotExist) && driver():
		f.Problem = node + " is missing, through which programs reach the TUN driver of the kernel"
		f.Fix = []string{"mkdir -p " + filepath.Dir(node), "mknod -m 666 " + node + " c 10 200"}
		f.repair = makeNode
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		f.Problem = "the TUN driver is not loaded (" + err.Error() + ")"
		f.Fix = []string{"modprobe tun"}
	case errors.Is(err, unix.EACCES):
		f.Problem = node + " is closed to you (" + err.Error() + ")"
		f.Fix = []string{"chmod 666 " + node}
		f.repair = func(*host.Handle) error { return os.Chmod(node, 0o666) }
	case errors.Is(err, unix.EPERM):
		f.Problem = node + " is forbidden to this container, by the rules for its devices"
		f.Fix = []string{"docker run --device " + node + " ..."}
	default:
		f.Problem = "cannot open " + node + ": " + err.Error()
		f.Fix = []string{"ls -l " + node, "modinfo tun"}
	}
	return []Finding{f}, nil
}

// driver reports whether the kernel has it: /proc/misc lists "200 tun".
func driver() bool {
	b, _ := os.ReadFile("/proc/misc")
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 2 && f[1] == "tun" {
			return true
		}
	}
	return false
}

func makeNode(*host.Handle) error {
	if err := os.MkdirAll(filepath.Dir(node), 0o755); err != nil {
		return err
	}
	if err := unix.Mknod(node, unix.S_IFCHR|0o666, int(unix.Mkdev(10, 200))); err != nil {
		return &os.PathError{Op: "mknod", Path: node, Err: err}
	}
	return os.Chmod(node, 0o666) // whatever the umask
}
