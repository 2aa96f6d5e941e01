package embedtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/lab/labtest"

	// What the programs import: so its modules are at hand before the tests are in a
	// network of their own, where no module can be fetched.
	_ "github.com/tunscript/tunscript/luabind"
	_ "github.com/tunscript/tunscript/tundev"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// module copies one of the embedding programs beside a module file that names this
// checkout, with the modules that this one needs and no other.
func module(t *testing.T, name string) (dir string) {
	t.Helper()
	labtest.Need(t, "go")
	from := os.Getenv("TUNSCRIPT_ACCEPTANCE")
	if from == "" {
		from = "../../../shared/acceptance"
	}
	from = filepath.Join(from, "embed")
	if _, err := os.Stat(from); err != nil {
		t.Skip("no embedding programs: set TUNSCRIPT_ACCEPTANCE to the folder of the acceptance scripts")
	}
	dir = t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(from, name))); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(from, "go.mod.txt"))
	if err != nil {
		t.Fatal(err)
	}
	outside(t, dir, mod)
	return dir
}

// outside makes dir a module of its own, mod, that uses this checkout.
func outside(t *testing.T, dir string, mod []byte) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	_, requires, _ := bytes.Cut(ours, []byte("\nrequire"))
	mod = fmt.Appendf(mod, "\nreplace github.com/tunscript/tunscript => %s\n\nrequire%s", root, requires)
	for file, text := range map[string][]byte{"go.mod": mod, "go.sum": sums} {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// goes runs the go command in the module.
func goes(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

// build compiles one of the programs.
func build(t *testing.T, name string) (program string) {
	t.Helper()
	dir := module(t, name)
	program = filepath.Join(dir, name+".bin")
	goes(t, dir, "build", "-mod=mod", "-o", program, "./"+name)
	return program
}

// command runs a program in a namespace to its end and returns what it said.
func command(t *testing.T, n *lab.Namespace, args ...string) (string, error) {
	t.Helper()
	var out []byte
	err := n.Do(func() (err error) {
		out, err = exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
		return err
	})
	return string(out), err
}

// eventually asks again for up to 5 s.
func eventually(t *testing.T, n *lab.Namespace, args ...string) string {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		out, err := command(t, n, args...)
		if err == nil {
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// The program forward joins two namespaces as a router: a ping arrives one hop
// older.
func TestForward(t *testing.T) {
	labtest.Need(t, "ip", "ping")
	a, b := labtest.Namespace(t), labtest.Namespace(t)
	program := build(t, "forward")

	var out bytes.Buffer
	cmd := exec.Command(program)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := a.Do(cmd.Start); err != nil {
		t.Fatal(err)
	}
	ended := false
	end := func() error {
		if ended {
			return nil
		}
		ended = true
		cmd.Process.Signal(syscall.SIGTERM)
		return cmd.Wait()
	}
	t.Cleanup(func() { end() })

	// As the program's header says.
	eventually(t, a, "ip", "link", "show", "tun1")
	if err := a.Do(func() error { return b.Adopt("tun1") }); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"addr add 198.51.100.1/24 dev tun1", "link set tun1 up", "route add 192.0.2.0/24 dev tun1"} {
		eventually(t, b, append([]string{"ip"}, strings.Fields(args)...)...)
	}
	eventually(t, a, "ip", "route", "replace", "198.51.100.0/24", "dev", "tun0")
	said := eventually(t, a, "ping", "-c", "3", "-i", "0.2", "-W", "2", "198.51.100.1")
	if strings.Count(said, "ttl=63") != 3 {
		t.Errorf("ping says\n%swant three answers with ttl=63", said)
	}
	if err := end(); err != nil {
		t.Errorf("forward: %v", err)
	}
	var received, sent int
	if _, err := fmt.Sscanf(out.String(), "received %d sent %d", &received, &sent); err != nil || received < 3 || sent < 3 {
		t.Errorf("forward says %q, want at least 3 received and sent", out.String())
	}
}
