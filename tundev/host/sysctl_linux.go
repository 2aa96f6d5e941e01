package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// sysctls is where they are. Those of a network namespace are the calling thread's.
const sysctls = "/proc/sys"

// putSysctl writes one of those of a network namespace, and no other file. One of a
// device that is gone is no error.
func putSysctl(path, value string) error {
	op := "set " + path
	if filepath.Clean(path) != path || !strings.HasPrefix(path, "net/") {
		return &Error{Op: op, Err: unix.EINVAL, Fix: "a path below /proc/sys that begins with net/"}
	}
	// os.WriteFile would make a file, which here is EPERM and not ENOENT.
	f, err := os.OpenFile(filepath.Join(sysctls, path), os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		_, err = f.WriteString(value)
		err = errors.Join(err, f.Close())
	}
	return fail(op, "", err, fixes{
		unix.EROFS: "/proc/sys is read-only, as in a container or with ProtectKernelTunables= in a systemd unit: " +
			"set it to " + value + " outside, or leave masquerade out",
	})
}

func getSysctl(path string) (string, error) {
	b, err := os.ReadFile(filepath.Join(sysctls, path))
	return strings.TrimSpace(string(b)), err
}
