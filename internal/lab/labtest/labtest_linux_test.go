package labtest_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
)

// Some of these run the binary again with one test in it, as `go test` would run that
// of another package. AS says what that package does.
func TestMain(m *testing.M) {
	if os.Getenv("AS") == "without main" {
		os.Exit(m.Run())
	}
	labtest.Main(m)
}

// again runs TestPackage in a new process with these environment variables on top.
func again(t *testing.T, as string, set ...string) (out string, ok bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^TestPackage$", "-test.timeout=1s")
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TUNSCRIPT_") })
	cmd.Env = append(append(env, "AS="+as), set...)
	b, err := cmd.CombinedOutput()
	return string(b), err == nil
}

func TestPackage(t *testing.T) {
	switch os.Getenv("AS") {
	case "":
		t.Skip("the part of another package")
	case "failing":
		t.Error("this test fails")
	case "hanging":
		select {}
	case "needing":
		labtest.Need(t, "sh", "tunscript-no-such-program")
	case "pinging":
		t.Setenv("PATH", t.TempDir())
		labtest.Need(t, "ping")
	default:
		labtest.Require(t)
		ns, err := os.Readlink("/proc/self/ns/net")
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("in %s as process %d", ns, os.Getpid())
	}
}

func TestRequireIsMetOnceInANewNamespace(t *testing.T) {
	labtest.Require(t)
	here, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"", "TUNSCRIPT_LABTEST_USERNS=1", "TUNSCRIPT_LABTEST=pid:[1]"} {
		out, ok := again(t, "other", set)
		if !ok || !strings.Contains(out, "as process 1\n") || strings.Contains(out, here) {
			t.Errorf("%s: want to be the first process of a new namespace, not in %s:\n%s", set, here, out)
		}
		if n := strings.Count(out, "RUN   TestPackage"); n != 1 {
			t.Errorf("%s: the test ran %d times", set, n)
		}
	}
	// What a test starts is in the namespace already and stays there: fuzz workers are.
	out, ok := again(t, "other", "TUNSCRIPT_LABTEST="+os.Getenv("TUNSCRIPT_LABTEST"))
	if !ok || !strings.Contains(out, here) {
		t.Errorf("want to stay in %s:\n%s", here, out)
	}
}

func TestStatusAndOutputPassThrough(t *testing.T) {
	for as, want := range map[string]string{
		"failing": "this test fails",
		"hanging": "panic: test timed out after 1s",
	} {
		if out, ok := again(t, as); ok || !strings.Contains(out, want) {
			t.Errorf("%s: passed %v, want a failure and %q:\n%s", as, ok, want, out)
		}
	}
}

// Where there can be no namespace: skip with the reason, or fail if it must not be.
func TestSkips(t *testing.T) {
	const refused = "TUNSCRIPT_LABTEST_REFUSED=no such right: sudo give it"
	for _, c := range []struct {
		as, set, want string
	}{
		{"other", refused, "needs a namespace and a TUN device: no such right: sudo give it"},
		{"needing", "", "needs the program tunscript-no-such-program: sudo apt-get install tunscript-no-such-program"},
		{"pinging", "", "needs the program ping: sudo apt-get install iputils-ping"},
	} {
		out, ok := again(t, c.as, c.set)
		if !ok || !strings.Contains(out, "SKIP: TestPackage") || !strings.Contains(out, c.want) {
			t.Errorf("%s: passed %v, want to skip with %q:\n%s", c.as, ok, c.want, out)
		}
		out, ok = again(t, c.as, c.set, "TUNSCRIPT_REQUIRE_TUN=1")
		if ok || !strings.Contains(out, "FAIL: TestPackage") || !strings.Contains(out, c.want) {
			t.Errorf("%s with TUNSCRIPT_REQUIRE_TUN=1: passed %v, want to fail with %q:\n%s", c.as, ok, c.want, out)
		}
	}
}

func TestMainIsNotForgotten(t *testing.T) {
	out, ok := again(t, "without main")
	if ok || !strings.Contains(out, "add func TestMain(m *testing.M) { labtest.Main(m) }") {
		t.Errorf("passed %v:\n%s", ok, out)
	}
}

func TestNamespaceEndsWithItsTest(t *testing.T) {
	var do func(func() error) error
	t.Run("test", func(t *testing.T) { do = labtest.Namespace(t).Do })
	if do == nil {
		labtest.Require(t)
	}
	if do(func() error { return nil }) == nil {
		t.Error("the namespace is still open")
	}
}
