package tundev

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What the machine of a test cannot bring about: the errno alone decides.
func TestEveryErrnoSaysWhatToDo(t *testing.T) {
	c := Config{Name: "tun0", Kind: TUN}
	open := func(no unix.Errno) error { return c.openError(node, no) }
	attach := func(there bool) func(unix.Errno) error {
		return func(no unix.Errno) error { return c.attachError(no, there) }
	}
	for _, r := range []struct {
		when func(unix.Errno) error
		no   unix.Errno
		kind error
		says string
	}{
		{open, unix.ENOENT, ErrNoTunDevice, "mknod /dev/net/tun c 10 200"},
		{open, unix.ENODEV, ErrNoTunDevice, "modprobe tun"},
		{open, unix.ENXIO, ErrNoTunDevice, "modprobe tun"},
		{open, unix.EIO, ErrNoTunDevice, "ls -l"},
		{open, unix.EACCES, ErrPermission, "chmod 666"},
		{open, unix.EPERM, ErrPermission, "sudo tunscript dev add tun0 --user $USER"},
		{open, unix.EMFILE, ErrBusy, "ulimit -n"},
		{attach(false), unix.EPERM, ErrPermission, "sudo tunscript dev add tun0 --user $USER"},
		{attach(true), unix.EPERM, ErrPermission, "its owner, its group"},
		{attach(true), unix.EBUSY, ErrBusy, "fuser -v"},
		{attach(true), unix.E2BIG, ErrBusy, "fuser -v"},
		{attach(true), unix.EINVAL, ErrMismatch, "must be a tun device"},
		{attach(false), unix.EINVAL, ErrBadName, "letters"},
		{attach(false), unix.ENFILE, ErrBadName, "every number"},
	} {
		err := r.when(r.no)
		if !errors.Is(err, r.kind) || !errors.Is(err, r.no) || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%v: %v, want %v and %q", r.no, err, r.kind, r.says)
		}
		if perm := r.kind == ErrPermission; errors.Is(err, fs.ErrPermission) != perm {
			t.Errorf("%v: fs.ErrPermission is %t", err, !perm)
		}
	}
}

func TestThereIsNoNode(t *testing.T) {
	_, err := openTuntap(filepath.Join(t.TempDir(), "tun"), Config{Kind: TUN}, false)
	if !errors.Is(err, ErrNoTunDevice) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want ErrNoTunDevice", err)
	}
}
