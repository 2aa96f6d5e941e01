package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/lab/labtest"
)

// The tests of the command are scripts in testdata, run with real programs on
// the other side, in a network of their own.
func TestMain(m *testing.M) {
	testscript.Main(labtest.Wrap(m), map[string]func(){
		"tunscript": func() { os.Exit(run(os.Args[1:])) },
	})
}

func TestScripts(t *testing.T) {
	labtest.Require(t)
	scripts(t, "testdata")
}

// The acceptance scripts stand beside the repository where they are at hand.
func TestAcceptance(t *testing.T) {
	labtest.Require(t)
	if _, err := os.Stat(acceptance()); err != nil {
		t.Skip("no acceptance scripts: set TUNSCRIPT_ACCEPTANCE to their folder")
	}
	scripts(t, "testdata/acceptance")
}

func acceptance() string {
	if dir := os.Getenv("TUNSCRIPT_ACCEPTANCE"); dir != "" {
		return dir
	}
	dir, _ := filepath.Abs("../../../shared/acceptance")
	return dir
}

func scripts(t *testing.T, dir string) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			e.Setenv("EXAMPLES", filepath.Join(root, "scripts/examples"))
			e.Setenv("ACCEPTANCE", acceptance())
			e.Setenv("RUNTIME_DIRECTORY", filepath.Join(e.WorkDir, "run")) // what others have left is not this script's
			n := new(network)
			e.Values[networkKey{}] = n
			e.Defer(n.close)
			return nil
		},
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"net": inNetwork},
		Condition:           have,
		RequireExplicitExec: true,
	})
}

// A network is the namespace of one script, made when it first asks for it: where
// there is more to see than its own devices, as by `dev list`.
type network struct{ ns *lab.Namespace }

type networkKey struct{}

func (n *network) close() {
	if n.ns != nil {
		n.ns.Close()
	}
}

// inNetwork is the command net: exec, but in the network of the script.
func inNetwork(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: net PROGRAM ARG...; for a status other than 0 write: net sh -c 'PROGRAM; test $? = 4'")
	}
	n := ts.Value(networkKey{}).(*network)
	if n.ns == nil {
		var err error
		n.ns, err = lab.NewNamespace()
		ts.Check(err)
	}
	ts.Check(n.ns.Do(func() error { return ts.Exec(args[0], args[1:]...) }))
}

// have is the condition [have:ping]: whether a program is installed. On a machine
// that is to run everything a missing one fails the test.
//
// Two conditions more: [mknod] is whether device nodes can be made, which takes real
// root, and [users] whether there is somebody else to become, which in a lab that an
// ordinary user made there is not.
func have(cond string) (bool, error) {
	switch cond {
	case "mknod":
		return canMknod()
	case "users":
		ids, err := os.ReadFile("/proc/self/uid_map")
		return strings.Contains(string(ids), "4294967295"), err
	}
	program, ok := strings.CutPrefix(cond, "have:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	_, err := exec.LookPath(program)
	if err != nil && os.Getenv("TUNSCRIPT_REQUIRE_TUN") == "1" {
		return false, fmt.Errorf("%s is not installed, and TUNSCRIPT_REQUIRE_TUN says that nothing may be skipped", program)
	}
	return err == nil, nil
}

func canMknod() (bool, error) {
	dir, err := os.MkdirTemp("", "mknod")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	return exec.Command("mknod", filepath.Join(dir, "null"), "c", "1", "3").Run() == nil, nil
}
