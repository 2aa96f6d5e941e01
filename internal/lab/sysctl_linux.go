package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// perDevice are set for every device there is and for "default", which new ones copy.
// A fresh namespace starts with the kernel's values, with those of the machine, or
// with a mixture of both, as net.core.devconf_inherit_init_net says; so none is
// relied on.
var perDevice = []struct{ dir, name, value string }{
	{"net/ipv4/conf", "rp_filter", "0"},            // a script may fake hosts that no route leads to
	{"net/ipv6/conf", "disable_ipv6", "0"},         // some machines switch it off for all
	{"net/ipv6/conf", "accept_dad", "0"},           // an address is good at once, nobody
	{"net/ipv6/conf", "dad_transmits", "0"},        // else can have it
	{"net/ipv6/conf", "router_solicitations", "0"}, // nothing on the wire but what was asked for
}

// setSysctls sets what belongs to the network namespace of the calling thread. root
// is /proc/sys.
func setSysctls(root string) error {
	for _, s := range perDevice {
		dir := filepath.Join(root, s.dir)
		devices, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) && strings.Contains(s.dir, "ipv6") {
			continue // the kernel runs without IPv6
		}
		if err != nil {
			return sysctlError(dir, err)
		}
		for _, d := range devices {
			if err := setSysctl(filepath.Join(dir, d.Name(), s.name), s.value); err != nil {
				return err
			}
		}
	}
	return openPing(filepath.Join(root, "net/ipv4/ping_group_range"))
}

// setSysctl writes only what is not so already: it may be read-only and right.
func setSysctl(path, value string) error {
	if old, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(old)) == value {
		return nil
	}
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		return sysctlError(path, err)
	}
	return nil
}

// openPing lets every group make echo sockets, so that a ping without the raw socket
// right works. A group that the user namespace does not map is EINVAL: then the only
// one that it does map.
func openPing(path string) error {
	err := os.WriteFile(path, []byte("0 2147483647"), 0)
	if errors.Is(err, unix.EINVAL) {
		err = os.WriteFile(path, []byte("0 0"), 0)
	}
	if err != nil {
		return sysctlError(path, err)
	}
	return nil
}

// sysctlError explains a /proc/sys that is not as it should be.
func sysctlError(path string, err error) error {
	pe, ok := errors.AsType[*fs.PathError](err)
	if ok {
		err = pe.Err
	}
	p := &PrivilegeError{Err: err, What: fmt.Sprintf("cannot set %s in the new namespace (%v)", path, err)}
	switch {
	case errors.Is(err, unix.EROFS):
		p.Fix = "the container mounts /proc/sys read-only; start it with `docker run --privileged`, or outside of it"
	case errors.Is(err, fs.ErrNotExist):
		p.Fix = "sudo mount -t proc proc /proc"
	default:
		p.Fix = "/proc belongs to another user namespace; start the container with `docker run --privileged`"
	}
	return p
}
