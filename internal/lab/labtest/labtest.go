// Package labtest puts the tests of a package into a network of their own, so that
// they may make devices, addresses and routes without touching the machine's, and
// without root where the kernel allows user namespaces. One line does it:
//
//	func TestMain(m *testing.M) { labtest.Main(m) }
//
// and a test that makes a device begins with
//
//	labtest.Require(t)
//
// The test binary is run again in a fresh user and network namespace, once, with the
// same flags; its output and status are passed through. Where that cannot be, the
// tests run where they are, and those that call [Require] are skipped, saying why and
// what mends it. With TUNSCRIPT_REQUIRE_TUN=1 they fail instead: so a machine that is
// to run them all cannot pass by skipping.
package labtest

import (
	"fmt"
	"os"
	"testing"

	"github.com/tunscript/tunscript/internal/lab"
)

const (
	envMust    = "TUNSCRIPT_REQUIRE_TUN"     // "1": skips are failures
	envUserns  = "TUNSCRIPT_LABTEST_USERNS"  // "1": a user namespace even for root
	envIn      = "TUNSCRIPT_LABTEST"         // the process namespace that was made for the tests
	envRefused = "TUNSCRIPT_LABTEST_REFUSED" // why there is none
)

// M is what Main needs of a [testing.M].
type M interface{ Run() int }

// Main runs the tests in a namespace of their own and exits with their status. It is
// all that a TestMain needs. With testscript it is
//
//	testscript.Main(labtest.Wrap(m), commands)
func Main(m M) { os.Exit(Wrap(m).Run()) }

// Wrap makes m run in a namespace of its own: for who needs the status, or hands m on.
func Wrap(m M) M { return inLab{m} }

type inLab struct{ m M }

// Run returns the status of the tests, which by then have run somewhere, once.
//
// What the process learns here it keeps in the environment, so that the processes
// that it starts know it, too: the workers of -fuzz are this binary again.
func (l inLab) Run() int {
	if ready() || os.Getenv(envRefused) != "" {
		return l.m.Run()
	}
	status, inside, err := lab.Enter(lab.Options{Userns: os.Getenv(envUserns) == "1"})
	switch {
	case err != nil:
		os.Setenv(envRefused, err.Error())
	case !inside:
		return status
	default:
		os.Setenv(envIn, namespace())
	}
	return l.m.Run()
}

// Require skips the test where it has no network of its own to make devices in.
func Require(t testing.TB) {
	t.Helper()
	if ready() {
		return
	}
	if why := os.Getenv(envRefused); why != "" {
		skip(t, "needs a namespace and a TUN device: "+why)
	}
	t.Fatal("labtest.Require without labtest.Main: add func TestMain(m *testing.M) { labtest.Main(m) }")
}

// Namespace is an empty network namespace for one test, closed when the test ends. It
// begins with [Require].
func Namespace(t testing.TB) *lab.Namespace {
	t.Helper()
	Require(t)
	n, err := lab.NewNamespace()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// skip skips, or fails where everything is to run.
func skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv(envMust) == "1" {
		t.Fatal(why + fmt.Sprintf(" (%s=1: not skipped)", envMust))
	}
	t.Skip(why)
}

// ready says whether this process is in the namespace made for the tests: one that
// merely has the environment of such a process is not.
func ready() bool {
	in := os.Getenv(envIn)
	return in != "" && in == namespace()
}

// namespace names the process namespace that this process is in, of which a lab has
// one of its own; "" where there are none. The network namespace would not do: it
// belongs to a thread, and a test may have moved the one asked about.
func namespace() string {
	name, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return name
}
