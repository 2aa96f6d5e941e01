package doctor_test

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/internal/doctor"
	"github.com/tunscript/tunscript/internal/keeper"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
	"golang.org/x/sys/unix"
)

// The test binary is a keeper, or a run that has one, if it is started as that.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case keeper.Verb:
			if err := keeper.Serve(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		case "a-run":
			aRun()
			return
		}
	}
	labtest.Main(m)
}

// aRun manages tun0 through a keeper, until it is killed.
func aRun() {
	k, err := keeper.Start(keeper.Plan{Devices: []tundev.Config{{
		Name: "tun0", Manage: true, MTU: 1300, Address: []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32")},
	}}})
	if err == nil {
		_, err = k.Open(context.Background(), 0)
	}
	fmt.Println("open:", err)
	os.Stdin.Read(make([]byte, 1))
}

// A run and its keeper are killed: doctor says what is still changed, and undoes it.
func TestLeftoversOfACrash(t *testing.T) {
	labtest.Need(t, "ip")
	n := labtest.Namespace(t)
	t.Setenv("RUNTIME_DIRECTORY", t.TempDir())
	os.Chmod(os.Getenv("RUNTIME_DIRECTORY"), 0o700)
	ip := func(args string) string {
		var out []byte
		err := n.Do(func() (err error) {
			out, err = exec.Command("ip", strings.Fields(args)...).CombinedOutput()
			return err
		})
		if err != nil {
			t.Errorf("ip %s: %v\n%s", args, err, out)
		}
		return string(out)
	}
	examine := func() (found []doctor.Finding) {
		if err := n.Do(func() (err error) {
			found, err = doctor.Examine(doctor.Question{})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return found
	}
	ip("tuntap add tun0 mode tun")
	ip("link set tun0 up")
	run := exec.Command("/proc/self/exe", "a-run")
	in, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := run.StdoutPipe()
	if err == nil {
		err = n.Do(run.Start)
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open: <nil>\n" {
		t.Fatalf("the run says %q, %v", line, err)
	}
	kept := child(t, run.Process.Pid)
	if now := ip("addr show tun0"); !strings.Contains(now, "mtu 1300") || !strings.Contains(now, "192.0.2.9") {
		t.Fatalf("the run has changed nothing:\n%s", now)
	}
	for _, f := range examine() {
		if f.Check == "leftover" {
			t.Errorf("while the run lives: %+v", f)
		}
	}
	unix.Kill(kept, unix.SIGKILL) // first: it would undo
	run.Process.Kill()
	run.Wait()
	var left []doctor.Finding
	for deadline := time.Now().Add(10 * time.Second); len(left) == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for _, f := range examine() {
			if f.Check == "leftover" {
				left = append(left, f)
			}
		}
	}
	if len(left) != 1 || left[0].Note || !strings.Contains(left[0].Problem, "ip link set tun0 mtu 1500") ||
		!strings.Contains(left[0].Problem, "ip address del 192.0.2.9/32 dev tun0") {
		t.Fatalf("after the crash: %+v", left)
	}
	// Seen from another network it is a note, and not to be mended there.
	other := labtest.Namespace(t)
	if err := other.Do(func() error {
		found, err := doctor.Examine(doctor.Question{})
		if len(found) != 1 || !found[0].Note || found[0].Repair() == nil {
			t.Errorf("from elsewhere: %+v", found)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	if err := n.Do(left[0].Repair); err != nil {
		t.Fatal(err)
	}
	if now := ip("addr show tun0"); !strings.Contains(now, "mtu 1500") || strings.Contains(now, "192.0.2.9") {
		t.Errorf("mended, it is\n%s", now)
	}
	for _, f := range examine() {
		if f.Check == "leftover" {
			t.Errorf("mended: %+v", f)
		}
	}
}

// child is the process that pid has started.
func child(t *testing.T, pid int) int {
	t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, _ := os.ReadFile(path)
		_, after, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(after); len(f) > 1 && f[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(strings.Split(path, "/")[2])
			return child
		}
	}
	t.Fatal("the run has no keeper")
	return 0
}
