package lab_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
)

func TestStatusIsTheCommands(t *testing.T) {
	for _, kind := range kinds {
		for _, c := range []struct {
			script string
			want   int
		}{
			{"true", 0},
			{"exit 7", 7},
			{"kill -TERM $$", 128 + 15},
			{"kill -KILL $$", 128 + 9},
		} {
			if out, got := run(t, inLab(t, kind, c.script)); got != c.want {
				t.Errorf("%s: %q ended with status %d, want %d; %s", kind, c.script, got, c.want, out)
			}
		}
	}
}

func TestStatusOfACommandThatCannotRun(t *testing.T) {
	for _, c := range []struct {
		args string
		want int
		says string
	}{
		{"no-such-program", 127, "run no-such-program: "},
		{"no-such-program", 127, "check the spelling, install it, or give its path"},
		{"/no/such/file", 127, "run /no/such/file: "},
		{"/", 126, "run /: "},
	} {
		cmd := inLab(t, "root", "")
		cmd.Args = []string{cmd.Args[0], c.args}
		out, got := run(t, cmd)
		if got != c.want || !strings.Contains(out, c.says) {
			t.Errorf("%s: status %d and %q, want %d and %q", c.args, got, out, c.want, c.says)
		}
	}
}

func TestTheNetworkIsItsOwn(t *testing.T) {
	labtest.Need(t, "ip")
	for _, kind := range kinds {
		out, _ := run(t, inLab(t, kind, "readlink /proc/self/ns/net; id -u; echo $$; ip -o link | wc -l; ip -o -4 addr show up"))
		lines := strings.Split(out, "\n")
		if len(lines) < 5 {
			t.Fatalf("%s: %q", kind, out)
		}
		if lines[0] == netns(t) {
			t.Errorf("%s: the namespace is still %s", kind, lines[0])
		}
		if lines[1] != "0" {
			t.Errorf("%s: user %s, want 0", kind, lines[1])
		}
		if len(lines[2]) > 2 {
			t.Errorf("%s: process %s: not in a process namespace of its own", kind, lines[2])
		}
		if lines[3] != "1" || !strings.Contains(lines[4], "lo    inet 127.0.0.1/8") {
			t.Errorf("%s: want the loopback alone, up; got\n%s", kind, out)
		}
	}
}

// A ping that has no right to raw sockets falls back to an echo socket.
func TestPingNeedsNoRights(t *testing.T) {
	labtest.Need(t, "ping", "setpriv")
	for _, kind := range kinds {
		for _, to := range []string{"127.0.0.1", "::1"} {
			// A copy, because a program with a file capability does not run where it is out of bounds.
			out, status := run(t, inLab(t, kind, `cp "$(command -v ping)" "$1" && setpriv --bounding-set -all --inh-caps -all "$1" -c 1 "$2"`,
				t.TempDir()+"/ping", to))
			if status != 0 || !strings.Contains(out, " 0% packet loss") {
				t.Errorf("%s: status %d\n%s", kind, status, out)
			}
		}
	}
}

func TestStreamsPassThrough(t *testing.T) {
	cmd := inLab(t, "userns", `read a; echo "out $a"; echo "err $a" >&2`)
	var out, err bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("word\n"), &out, &err
	if e := cmd.Run(); e != nil || out.String() != "out word\n" || err.String() != "err word\n" {
		t.Errorf("stdout %q, stderr %q, %v", out.String(), err.String(), e)
	}
}

func TestStandardInputMayBeClosed(t *testing.T) {
	outer := inLab(t, "root", "")
	outer.Path, outer.Args = "/bin/sh", []string{"sh", "-c", `exec "$LAB" sh -c 'cat; echo read' <&-`}
	if out, status := run(t, outer); out != "read\n" || status != 0 {
		t.Errorf("status %d and %q, want 0 and what `cat` of nothing gives", status, out)
	}
}

func TestTheProgramMayHaveARelativeName(t *testing.T) {
	cmd := inLab(t, "root", "pwd")
	self, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(cmd.Dir, "copy"), self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Args[0] = "./copy", "./copy"
	if out, _ := run(t, cmd); out != cmd.Dir+"\n" {
		t.Errorf("got %q", out)
	}
}

func TestALabInALabIsAnother(t *testing.T) {
	for _, kind := range kinds {
		out, status := run(t, inLab(t, kind, `echo "[$TUNSCRIPT_LAB]"; readlink /proc/self/ns/net; "$LAB" readlink /proc/self/ns/net`))
		l := strings.Fields(out)
		if status != 0 || len(l) != 3 || l[0] != "[]" || l[1] == l[2] {
			t.Errorf("%s: status %d, %q: want no TUNSCRIPT_LAB and two namespaces", kind, status, out)
		}
	}
}

// Whatever the command leaves behind ends with the lab, also what took care to survive.
func TestNothingIsLeftRunning(t *testing.T) {
	for _, kind := range kinds {
		word := "98765" + kind
		_, status := run(t, inLab(t, kind, `(trap "" TERM HUP; setsid sh -c "sleep 98765; : $1" >/dev/null 2>&1 &) ; exit 3`, word))
		if status != 3 {
			t.Errorf("%s: status %d, want 3", kind, status)
		}
		if n := running(t, word); n != 0 {
			t.Errorf("%s: %d processes are still there", kind, n)
		}
	}
}

// Killed with SIGKILL the parent can do nothing any more; the kernel does.
func TestNothingIsLeftWhenTheParentIsKilled(t *testing.T) {
	for _, kind := range kinds {
		word := "87654" + kind
		cmd := inLab(t, kind, `setsid sh -c "sleep 87654; : $1" & echo up; wait`, word)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 3))
		if running(t, word) == 0 {
			t.Fatalf("%s: nothing runs", kind)
		}
		signalTo(t, cmd, syscall.SIGKILL)
		cmd.Wait()
		eventually(t, "all processes of the lab are gone", func() bool { return running(t, word) == 0 })
	}
}
