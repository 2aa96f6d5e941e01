package lab_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
)

// These break a lab, which is thrown away, and then ask for another one in it.

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, kind, breaks, inner, want string
	}{
		// A user namespace has limits of its own, below its parent's: setting them
		// there leaves the machine's alone. Root's lab has none, so never there.
		{"no user namespaces", "userns", "echo 0 > /proc/sys/user/max_user_namespaces", "userns",
			"user namespaces are switched off (user.max_user_namespaces is 0): sudo sysctl -w user.max_user_namespaces=15000"},
		{"no network namespaces", "userns", "echo 0 > /proc/sys/user/max_net_namespaces", "root",
			"network namespaces are switched off (user.max_net_namespaces is 0): sudo sysctl -w user.max_net_namespaces=15000"},
		{"no node", "userns", "mount -t tmpfs none /dev/net", "root",
			"cannot open /dev/net/tun (no such file or directory): sudo modprobe tun"},
		{"no node for a user", "userns", "mount -t tmpfs none /dev/net", "userns",
			"cannot open /dev/net/tun (no such file or directory): sudo modprobe tun"},
		// Docker mounts /proc/sys read-only. Because it is, the kernel also refuses
		// the user namespace a /proc of its own.
		{"read-only /proc/sys", "userns", "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys", "userns",
			"(read-only file system): the container mounts /proc/sys read-only; start it with `docker run --privileged`"},
		{"/dev/net/tun of root alone", "root", "mount -t tmpfs none /dev/net && mknod -m 600 /dev/net/tun c 10 200", "nobody",
			"cannot open /dev/net/tun (permission denied, its mode is -rw-------): sudo chmod 666 /dev/net/tun\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.kind == "root" {
				needRoot(t)
			}
			out, status := run(t, breaking(t, c.kind, c.breaks, c.inner, "echo entered"))
			if status != 4 || !strings.Contains(out, c.want) || strings.Count(out, "\n") != 1 {
				t.Errorf("status %d and\n%swant 4 and, in one line,\n%s", status, out, c.want)
			}
		})
	}
}

// An ordinary user, with the node as distributions have it, needs no root.
func TestAnOrdinaryUser(t *testing.T) {
	needRoot(t)
	labtest.Need(t, "ip")
	tun := "mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200"
	out, status := run(t, breaking(t, "root", tun, "nobody",
		"id -u; grep -c . /proc/self/uid_map; cat /proc/sys/net/ipv4/ping_group_range; ip tuntap add t0 mode tun && ip -o link show t0"))
	if status != 0 || !strings.HasPrefix(out, "0\n1\n0\t0\n") || !strings.Contains(out, ": t0: <POINTOPOINT") {
		t.Errorf("status %d and\n%s", status, out)
	}
}

// Root of a container has uid 0 and lacks rights: it does as an ordinary user does.
func TestRootWithoutRights(t *testing.T) {
	needRoot(t)
	labtest.Need(t, "ip")
	for _, caps := range []string{"-sys_admin", "-net_admin", "-sys_admin,-net_admin"} {
		out, status := run(t, breaking(t, "root", "true", "setpriv --bounding-set "+caps, "id -u; ip -o link show lo"))
		if status != 0 || !strings.HasPrefix(out, "0\n") || !strings.Contains(out, "LOOPBACK,UP") {
			t.Errorf("without %s: status %d and\n%s", caps, status, out)
		}
	}
}

// breaking makes a lab, breaks something in it, and enters another from there, which
// runs script: as root, in a user namespace, as nobody, or through setpriv.
func breaking(t *testing.T, kind, breaks, inner, script string) *exec.Cmd {
	t.Helper()
	as := "env LAB_MAIN=" + inner
	switch {
	case inner == "nobody":
		as = "env LAB_MAIN=root setpriv --reuid 65534 --regid 65534 --clear-groups"
	case strings.HasPrefix(inner, "setpriv"):
		as = "env LAB_MAIN=root " + inner
	}
	cmd := inLab(t, kind, `
		if [ "$1" = userns ] && grep -q 4294967295 /proc/self/uid_map; then echo not in a user namespace; exit 99; fi
		`+breaks+` || exit 98
		exec `+as+` "$LAB" sh -c "$2"`, kind, script)
	lab := publicCopy(t, cmd.Path)
	cmd.Env = append(cmd.Env, "LAB="+lab, "GOCOVERDIR="+filepath.Dir(lab)) // for go test -cover
	return cmd
}

// publicCopy puts the program where everyone may run it, and write.
func publicCopy(t *testing.T, program string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "lab.test"), b, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "lab.test")
}

// needRoot skips where the tests are in a user namespace: it has one user only.
func needRoot(t *testing.T) {
	t.Helper()
	labtest.Require(t)
	labtest.Need(t, "setpriv")
	users, err := os.ReadFile("/proc/self/uid_map")
	if err != nil || len(strings.Fields(string(users))) != 3 || strings.Fields(string(users))[2] == "1" {
		t.Skip("plays another user: run the tests as root")
	}
}
