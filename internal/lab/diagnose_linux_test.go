package lab

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"
)

// Kernels that are not at hand, as their /proc/sys shows them.
func TestDiagnose(t *testing.T) {
	sysctl := func(name string) fstest.MapFS {
		key, value, _ := strings.Cut(name, "=")
		return fstest.MapFS{strings.ReplaceAll(key, ".", "/"): {Data: []byte(value + "\n")}}
	}
	for _, c := range []struct {
		errno     unix.Errno
		userns    bool
		sysctl    string
		what, fix string
	}{
		{unix.ENOSPC, true, "user.max_user_namespaces=0", "user namespaces are switched off", "sysctl -w user.max_user_namespaces=15000"},
		{unix.ENOSPC, false, "user.max_net_namespaces=0", "network namespaces are switched off", "sysctl -w user.max_net_namespaces=15000"},
		{unix.ENOSPC, true, "user.max_user_namespaces=9", "too many namespaces", "sysctl -w user.max_user_namespaces=50000"},
		{unix.EPERM, true, "kernel.unprivileged_userns_clone=0", "ordinary users may not", "sysctl -w kernel.unprivileged_userns_clone=1"},
		{unix.EPERM, true, "kernel.apparmor_restrict_unprivileged_userns=1", "AppArmor", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{unix.EPERM, true, "kernel.unprivileged_userns_clone=1", "containers (seccomp)", "docker run --privileged"},
		{unix.EPERM, false, "", "lacks CAP_SYS_ADMIN", "docker run --privileged"},
		{unix.EINVAL, true, "", "this kernel has no user", "CONFIG_USER_NS"},
	} {
		err := diagnose(c.errno, c.userns, sysctl(c.sysctl))
		if !errors.Is(err, ErrPrivilege) || !errors.Is(err, c.errno) {
			t.Errorf("%v, %s: %v is not a missing privilege caused by the errno", c.errno, c.sysctl, err)
		}
		what, fix, _ := strings.Cut(err.Error(), ": ")
		if !strings.Contains(what, c.what) || !strings.Contains(fix, c.fix) {
			t.Errorf("%v, %s:\n got: %v\nwant: ...%s...: ...%s...", c.errno, c.sysctl, err, c.what, c.fix)
		}
	}
}

func TestDiagnoseLeavesOtherErrorsAlone(t *testing.T) {
	err := diagnose(unix.ENOMEM, true, fstest.MapFS{})
	if errors.Is(err, ErrPrivilege) || !errors.Is(err, unix.ENOMEM) {
		t.Errorf("got %v, want out of memory to be no matter of privilege", err)
	}
}

// The refusal that comes late: the namespace is there, its maker has no right in it.
func TestAppArmorIsNamedAfterTheClone(t *testing.T) {
	on := fstest.MapFS{"kernel/apparmor_restrict_unprivileged_userns": {Data: []byte("1\n")}}
	if err := powerless(unix.EPERM, on); !strings.Contains(err.Error(), "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0") {
		t.Errorf("got %v", err)
	}
	if err := powerless(unix.EPERM, fstest.MapFS{}); !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("got %v", err)
	}
}

func TestTunErrors(t *testing.T) {
	for _, c := range []struct {
		errno unix.Errno
		fix   string
	}{
		{unix.ENOENT, "sudo modprobe tun; in a container: mkdir -p /dev/net && mknod"},
		{unix.ENODEV, "sudo modprobe tun"},
		{unix.EACCES, "sudo chmod 666 /no/such/node"},
		{unix.EPERM, "--device /dev/net/tun"},
	} {
		err := tunError("/no/such/node", c.errno)
		if !errors.Is(err, ErrPrivilege) || !errors.Is(err, c.errno) || !strings.Contains(err.Error(), c.fix) {
			t.Errorf("%v: got %v, want ...%s...", c.errno, err, c.fix)
		}
	}
}

// What the child finds missing reaches the parent's caller as the same error.
func TestReportsKeepTheError(t *testing.T) {
	through := func(err error) error {
		b, jerr := json.Marshal(encodeReport(err))
		if jerr != nil {
			t.Fatal(jerr)
		}
		return decodeReport(b)
	}
	missing := tunError("/dev/net/tun", unix.EACCES)
	if got := through(missing); !errors.Is(got, ErrPrivilege) || !errors.Is(got, unix.EACCES) || got.Error() != missing.Error() {
		t.Errorf("%v became %v", missing, got)
	}
	if got := through(unix.ENOMEM); errors.Is(got, ErrPrivilege) || !errors.Is(got, unix.ENOMEM) {
		t.Errorf("out of memory became %v", got)
	}
	if got := through(nil); got != nil {
		t.Errorf("no error became %v", got)
	}
}
