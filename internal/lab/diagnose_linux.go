package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// diagnose says why the kernel refused new namespaces. sysctl is /proc/sys.
func diagnose(err error, userns bool, sysctl fs.FS) error {
	p := &PrivilegeError{Err: err}
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		p.What, p.Fix = limit(userns, sysctl)
	case errors.Is(err, unix.EINVAL):
		p.What = "this kernel has no user, network or process namespaces"
		p.Fix = "use one built with CONFIG_USER_NS, CONFIG_NET_NS and CONFIG_PID_NS (`zgrep _NS= /proc/config.gz` shows them)"
	case !errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("lab: start this program in new namespaces: %w", err)
	case !userns:
		p.What = "this root lacks CAP_SYS_ADMIN and may not make namespaces"
		p.Fix = "docker run --privileged"
	case value(sysctl, "kernel/unprivileged_userns_clone") == "0":
		p.What = "ordinary users may not make user namespaces (kernel.unprivileged_userns_clone is 0)"
		p.Fix = "sudo sysctl -w kernel.unprivileged_userns_clone=1"
	case restricted(sysctl):
		return appArmor(err)
	default:
		p.What = "the kernel refused a user namespace, as it does in containers (seccomp) and in a chroot"
		p.Fix = "docker run --privileged, or leave the chroot, or run it as root"
	}
	return p
}

// limit finds which limit on the number of namespaces was hit.
func limit(userns bool, sysctl fs.FS) (what, fix string) {
	names := []string{"max_net_namespaces", "max_pid_namespaces", "max_mnt_namespaces"}
	if userns {
		names = append([]string{"max_user_namespaces"}, names...)
	}
	for _, n := range names {
		if value(sysctl, "user/"+n) == "0" {
			kind, _, _ := strings.Cut(strings.TrimPrefix(n, "max_"), "_")
			kind = map[string]string{"user": "user", "net": "network", "pid": "process", "mnt": "mount"}[kind]
			return fmt.Sprintf("%s namespaces are switched off (user.%s is 0)", kind, n),
				fmt.Sprintf("sudo sysctl -w user.%s=15000", n)
		}
	}
	return "too many namespaces, or too deep in one another",
		"end some, or raise the limits: sudo sysctl -w user." + names[0] + "=50000"
}

// powerless explains a namespace that was made and is of no use: its maker lacks the
// capabilities that he should have in it.
func powerless(err error, sysctl fs.FS) error {
	if restricted(sysctl) {
		return appArmor(err)
	}
	return &PrivilegeError{
		What: "the new namespace came without CAP_NET_ADMIN: a security module or the container takes it",
		Fix:  "run it as root, or the container with `docker run --privileged`",
		Err:  err,
	}
}

// restricted: Ubuntu's AppArmor grants programs without a profile nothing in a user
// namespace of theirs.
func restricted(sysctl fs.FS) bool {
	return value(sysctl, "kernel/apparmor_restrict_unprivileged_userns") == "1"
}

func appArmor(err error) error {
	return &PrivilegeError{
		What: "AppArmor takes all rights from user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)",
		Fix:  "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
		Err:  err,
	}
}

func value(sysctl fs.FS, name string) string {
	b, _ := fs.ReadFile(sysctl, name)
	return strings.TrimSpace(string(b))
}

// tunError says why the TUN clone device at path cannot be opened.
func tunError(path string, err error) error {
	why := err.Error()
	if st, serr := os.Stat(path); serr == nil {
		why += ", its mode is " + st.Mode().Perm().String()
	}
	p := &PrivilegeError{What: fmt.Sprintf("cannot open %s (%s)", path, why), Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.Fix = "sudo modprobe tun; in a container: mkdir -p /dev/net && mknod -m 666 /dev/net/tun c 10 200"
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		p.Fix = "sudo modprobe tun"
	case errors.Is(err, unix.EACCES):
		p.Fix = "sudo chmod 666 " + path
	case errors.Is(err, unix.EPERM):
		p.Fix = "the container's device rules forbid it; docker run --device /dev/net/tun"
	default:
		p.Fix = "see `dmesg`"
	}
	return p
}
