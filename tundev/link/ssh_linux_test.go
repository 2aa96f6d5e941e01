package link_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/link"
)

// sshd starts one on the host, for root with the key of dir, until the test ends.
func (e *end) sshd(dir, addr string) {
	e.t.Helper()
	config := "ListenAddress " + addr + `
HostKey ` + dir + `/host
AuthorizedKeysFile ` + dir + `/user.pub
AuthenticationMethods publickey
PermitRootLogin yes
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
PidFile none
LogLevel VERBOSE
`
	if err := os.WriteFile(dir+"/sshd_config", []byte(config), 0o600); err != nil {
		e.t.Fatal(err)
	}
	// It wants an absolute path, and a folder of its own in /run, which nobody else needs
	// to see. Who is logged in goes with it.
	const start = `mount -t tmpfs tmpfs /run; mkdir /run/sshd; exec "$(command -v sshd)" -D -e -f "$0"`
	c := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", start, dir+"/sshd_config")
	said, err := os.Create(dir + "/said")
	if err != nil {
		e.t.Fatal(err)
	}
	defer said.Close()
	c.Stderr = said
	if err := e.host.Do(c.Start); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
		if b, _ := os.ReadFile(said.Name()); e.t.Failed() {
			e.t.Logf("sshd said\n%s", b)
		}
	})
	for begun := time.Now(); e.host.Do(exec.Command("sh", "-c", "ss -ltn | grep -q :22").Run) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > patience {
			e.t.Fatalf("sshd does not listen")
		}
	}
}

// Somebody works on a host behind a tunnel over TCP: a command and its status, and 5 MB
// each way, byte for byte.
func TestSSH(t *testing.T) {
	labtest.Require(t)
	labtest.Need(t, "ssh", "sshd", "unshare", "ss")
	if users, err := os.ReadFile("/proc/self/uid_map"); err != nil || strings.HasSuffix(strings.TrimSpace(string(users)), " 1") {
		t.Skip("needs root: sshd becomes another user, and a user namespace has one only: sudo go test ./tundev/link -run SSH")
	}
	leaks(t)
	dir := t.TempDir()
	for _, name := range []string{"host", "user"} {
		sh(t, "ssh-keygen -q -t ed25519 -N '' -f "+filepath.Join(dir, name))
	}
	sh(t, "cd "+dir+"; (printf '192.0.2.2 '; cat host.pub) >known")
	ends := tunnel(t, link.TCP, nil)
	ends[1].sshd(dir, "192.0.2.2")
	ssh := func(in []byte, command string) (out []byte, status error) {
		c := exec.Command("ssh", "-F", "none", "-T", "-i", dir+"/user", "-o", "UserKnownHostsFile="+dir+"/known", "-o", "BatchMode=yes",
			"-o", "ConnectTimeout=10", "root@192.0.2.2", command)
		c.Stdin, c.Stderr = bytes.NewReader(in), os.Stderr
		status = ends[0].host.Do(func() (err error) {
			out, err = c.Output()
			return err
		})
		return out, status
	}

	out, err := ssh(nil, "ip -br addr show tun0; exit 7")
	if fail, ok := err.(*exec.ExitError); !ok || fail.ExitCode() != 7 || !strings.Contains(string(out), "192.0.2.2/24") {
		t.Fatalf("%q, %v, want the address of the far host and status 7", out, err)
	}
	file := make([]byte, 5<<20)
	rand.Read(file)
	if err := os.WriteFile(dir+"/file", file, 0o600); err != nil {
		t.Fatal(err)
	}
	want := sha256.Sum256(file)
	if out, err := ssh(nil, "cat "+dir+"/file"); err != nil || sha256.Sum256(out) != want {
		t.Errorf("%d bytes came, %v, want the %d of the file", len(out), err, len(file))
	}
	if out, err := ssh(file, "cat >"+dir+"/copy"); err != nil || len(out) > 0 {
		t.Errorf("%q, %v", out, err)
	}
	if got, err := os.ReadFile(dir + "/copy"); err != nil || sha256.Sum256(got) != want {
		t.Errorf("%d bytes went, %v, want the %d of the file", len(got), err, len(file))
	}
	for _, e := range ends {
		if s := e.link.Stats(); s.Malformed+s.TooBig+s.Empty+s.Torn > 0 || s.Peers != 1 {
			t.Errorf("%+v, want nothing wrong", s)
		}
	}
}
