package privilege_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/internal/privilege"
)

// The test binary gives its rights up if it is started to.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "drop" {
		drop(os.Args[2])
		return
	}
	labtest.Main(m)
}

// drop gives everything up with many threads about, and says what is left.
func drop(dir string) {
	var ready, done sync.WaitGroup
	end := make(chan struct{})
	for range 8 {
		ready.Add(1)
		done.Go(func() {
			runtime.LockOSThread()
			ready.Done()
			<-end
		})
	}
	ready.Wait()
	say := func(what string, err error) {
		switch {
		case err == nil:
			fmt.Println(what, "done")
		case errors.Is(err, fs.ErrPermission):
			fmt.Println(what, "refused")
		default:
			fmt.Println(what, err)
		}
	}
	say("drop", privilege.Drop(privilege.Identity{UID: 65534, GID: 65533}))
	say("confine", privilege.Confine(privilege.Files{
		Read:   []string{filepath.Join(dir, "scripts"), filepath.Join(dir, "none"), filepath.Join(dir, "one.lua")},
		Write:  []string{filepath.Join(dir, "log"), filepath.Join(dir, "out/new.pcapng")},
		Remove: []string{filepath.Join(dir, "out")},
	}))
	open := func(path string) error {
		_, err := os.ReadFile(path)
		return err
	}
	write := func(path string) error { return os.WriteFile(filepath.Join(dir, path), []byte("x"), 0o600) }
	say("shadow", open("/etc/shadow"))
	say("passwd", open("/etc/passwd"))
	say("outside", open(filepath.Join(dir, "other.lua")))
	say("script", open(filepath.Join(dir, "scripts/a.lua")))
	say("one file", open(filepath.Join(dir, "one.lua")))
	say("log", write("log"))
	say("new", write("out/new.pcapng"))
	say("remove", os.Remove(filepath.Join(dir, "out/new.pcapng")))
	say("change a script", write("scripts/a.lua"))
	say("program", exec.Command("/bin/true").Run())
	say("device", func() error {
		f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
		f.Close()
		return err
	}())
	fmt.Println("end")
	os.Stdin.Read(make([]byte, 1))
	close(end)
	done.Wait()
}

// What is given up is given up by all threads, and cannot be taken back.
func TestNothingIsLeft(t *testing.T) {
	labtest.Require(t)
	if uid, err := os.ReadFile("/proc/self/uid_map"); err != nil || !strings.Contains(string(uid), "4294967295") {
		t.Skip("another user cannot be tried in a user namespace with one: run it as root")
	}
	dir := t.TempDir()
	os.Chmod(filepath.Dir(dir), 0o755)
	os.Chmod(dir, 0o755)
	for _, sub := range []string{"scripts", "out"} {
		os.Mkdir(filepath.Join(dir, sub), 0o777)
		os.Chmod(filepath.Join(dir, sub), 0o777)
	}
	for _, file := range []string{"scripts/a.lua", "one.lua", "other.lua", "log"} {
		os.WriteFile(filepath.Join(dir, file), nil, 0o666)
		os.Chmod(filepath.Join(dir, file), 0o666)
	}
	cmd := exec.Command("/proc/self/exe", "drop", dir)
	cmd.Stderr = os.Stderr
	in, _ := cmd.StdinPipe()
	from, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for lines := bufio.NewScanner(from); lines.Scan() && lines.Text() != "end"; {
		fmt.Fprintln(&out, lines.Text())
	}
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", cmd.Process.Pid))
	if len(threads) < 8 {
		t.Errorf("it has %d threads", len(threads))
	}
	for _, thread := range threads {
		status, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		for _, want := range []string{
			"Uid:\t65534\t65534\t65534\t65534", "Gid:\t65533\t65533\t65533\t65533", "Groups:\t \n", "NoNewPrivs:\t1",
			"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000",
		} {
			if !strings.Contains(string(status), want) {
				t.Errorf("%s does not say %q:\n%s", thread, want, status)
			}
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	want := `drop done
confine done
shadow refused
passwd refused
outside refused
script done
one file done
log done
new done
remove done
change a script refused
program refused
device refused
`
	if out.String() != want {
		t.Errorf("it says\n%s\nwant\n%s", out.String(), want)
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		user, group string
		want        privilege.Identity
		err         string
	}{
		{"", "", privilege.Identity{UID: -1, GID: -1}, ""},
		{"root", "", privilege.Identity{}, ""},
		{"0", "", privilege.Identity{}, ""},
		{"", "0", privilege.Identity{UID: -1}, ""},
		{"root", "4711", privilege.Identity{GID: 4711}, ""},
		{"123456", "4711", privilege.Identity{UID: 123456, GID: 4711}, ""},
		{"123456", "", privilege.Identity{UID: 123456, GID: -1}, "say engine.group"},
		{"nobody-of-that-name", "", privilege.Identity{UID: -1, GID: -1}, "getent passwd"},
		{"", "no-group-of-that-name", privilege.Identity{UID: -1, GID: -1}, "getent group"},
		{"-1", "", privilege.Identity{UID: -1, GID: -1}, "getent passwd"},
	} {
		got, err := privilege.Find(c.user, c.group)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q, %q is %+v, %v, want %+v, %s", c.user, c.group, got, err, c.want, c.err)
		}
	}
}
