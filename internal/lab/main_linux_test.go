package lab_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/lab/labtest"
)

// The tests run this binary as a verb runs a lab: with LAB_MAIN set it enters one and
// runs its arguments as the command.
func TestMain(m *testing.M) {
	if os.Getenv("LAB_MAIN") != "" {
		os.Exit(labMain())
	}
	labtest.Main(m)
}

func labMain() int {
	status, inside, err := lab.Enter(lab.Options{Userns: os.Getenv("LAB_MAIN") == "userns"})
	if errors.Is(err, lab.ErrPrivilege) {
		fmt.Fprintln(os.Stderr, err)
		return 4
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "not a matter of privilege:", err)
		return 1
	}
	if !inside {
		return status
	}
	status, err = lab.Command{Args: os.Args[1:]}.Run(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return status
}

// kinds are the ways into a lab: as root may do it, and as a user has to.
var kinds = []string{"root", "userns"}

// inLab is a command that enters a lab and runs a shell script there.
func inLab(t *testing.T, kind, script string, args ...string) *exec.Cmd {
	t.Helper()
	labtest.Require(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, append([]string{"sh", "-c", script, "sh"}, args...)...)
	cmd.Env = append(os.Environ(), "LAB_MAIN="+kind, "LAB="+self)
	return cmd
}

// run returns what came out on both streams, and the status.
func run(t *testing.T, cmd *exec.Cmd) (out string, status int) {
	t.Helper()
	b, err := cmd.CombinedOutput()
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(b), ee.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b), 0
}

// running counts the processes whose command line has this word.
func running(t *testing.T, word string) (n int) {
	t.Helper()
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		b, _ := os.ReadFile("/proc/" + d.Name() + "/cmdline")
		if strings.Contains(string(b), word) {
			n++
		}
	}
	return n
}

// eventually waits for what has to happen soon.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after 5 s still not so: %s", what)
		}
	}
}

func netns(t *testing.T) string {
	t.Helper()
	s, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func signalTo(t *testing.T, cmd *exec.Cmd, s syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}
