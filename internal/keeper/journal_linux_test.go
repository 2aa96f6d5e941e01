package keeper

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// killed is a journal whose keeper is gone.
func killed(t *testing.T, dir string, changes ...host.Change) {
	t.Helper()
	j, err := create(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if err := j.note(c); err != nil {
			t.Fatal(err)
		}
	}
	j.file.Close()
}

func runtimeDirectory(t *testing.T) string {
	dir := t.TempDir()
	t.Setenv("RUNTIME_DIRECTORY", dir)
	return dir
}

func sysctl(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/" + path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func TestALeftoverIsFoundAndUndoneOnce(t *testing.T) {
	dir := runtimeDirectory(t)
	labtest.Namespace(t).Do(func() error {
		const ttl = "net/ipv4/ip_default_ttl"
		was := sysctl(t, ttl)
		killed(t, dir, host.Change{Kind: host.KindSysctl, Path: ttl, Text: was},
			host.Change{Kind: host.KindMTU, Device: "tun7", Number: 1500}) // a device that is gone
		os.WriteFile("/proc/sys/"+ttl, []byte("99"), 0)
		list, err := Leftovers()
		if err != nil || len(list) != 1 || !list[0].Here || len(list[0].Changes) != 2 || list[0].PID != os.Getpid() {
			t.Fatalf("found %+v, %v", list, err)
		}
		for range 2 {
			if err := list[0].Undo(); err != nil {
				t.Error(err)
			}
		}
		if now := sysctl(t, ttl); now != was {
			t.Errorf("undone, it is %s and was %s", now, was)
		}
		if list, err := Leftovers(); len(list) != 0 || err != nil {
			t.Errorf("and there is still %v, %v", list, err)
		}
		return nil
	})
}

// Of two runs that want the same, the one that ends first leaves it to the other; also if
// it did not end by itself.
func TestWhatALivingRunNeedsStays(t *testing.T) {
	dir := runtimeDirectory(t)
	labtest.Namespace(t).Do(func() error {
		const ttl = "net/ipv4/ip_default_ttl"
		was := sysctl(t, ttl)
		killed(t, dir, host.Change{Kind: host.KindSysctl, Path: ttl, Text: was})
		os.WriteFile("/proc/sys/"+ttl, []byte("99"), 0)
		alive, err := create(dir)
		if err != nil {
			t.Fatal(err)
		}
		alive.note(host.Change{Kind: host.KindSysctl, Path: ttl, Text: was})
		list, err := Leftovers()
		if err != nil || len(list) != 1 {
			t.Fatalf("found %v, %v", list, err)
		}
		if err := list[0].Undo(); err != nil || sysctl(t, ttl) != "99" {
			t.Errorf("with another one alive: %v, and it is %s", err, sysctl(t, ttl))
		}
		alive.file.Close()
		if list, _ = Leftovers(); len(list) != 1 || list[0].Undo() != nil || sysctl(t, ttl) != was {
			t.Errorf("in the end it is %s, and was %s", sysctl(t, ttl), was)
		}
		return nil
	})
}

func TestALeftoverOfAnotherNamespaceIsLeftAlone(t *testing.T) {
	dir := runtimeDirectory(t)
	labtest.Namespace(t).Do(func() error { killed(t, dir); return nil })
	list, err := Leftovers()
	if err != nil || len(list) != 1 || list[0].Here {
		t.Fatalf("found %+v, %v", list, err)
	}
	if err := list[0].Undo(); !errors.Is(err, ErrElsewhere) || !strings.Contains(err.Error(), list[0].Path) {
		t.Errorf("undone here: %v", err)
	}
}

// A kill can cut the last line off; anything else that is no journal is named.
func TestAJournalIsReadUpToTheKill(t *testing.T) {
	dir := runtimeDirectory(t)
	labtest.Require(t)
	killed(t, dir, host.Change{Kind: host.KindMTU, Device: "tun7", Number: 1500})
	paths, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(paths) != 1 {
		t.Fatalf("in the folder: %v", paths)
	}
	whole, _ := os.ReadFile(paths[0])
	first := strings.IndexByte(string(whole), '\n') + 1
	for n := first; n <= len(whole); n++ {
		os.WriteFile(paths[0], whole[:n], 0o600)
		want := 0
		if n == len(whole) {
			want = 1
		}
		if list, err := Leftovers(); err != nil || len(list) != 1 || len(list[0].Changes) != want {
			t.Fatalf("%d bytes: %+v, %v", n, list, err)
		}
	}
	for _, text := range []string{"", "hello", "hello\n", string(whole[:first]) + "hello\n"} {
		os.WriteFile(paths[0], []byte(text), 0o600)
		if _, err := Leftovers(); err == nil || !strings.Contains(err.Error(), paths[0]) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What is in the folder is done with our rights, so nobody else may write there.
func TestAFolderThatOthersWriteIsRefused(t *testing.T) {
	dir := runtimeDirectory(t)
	labtest.Require(t)
	os.Chmod(dir, 0o777)
	if _, err := Leftovers(); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("writable for all: %v", err)
	}
	link := filepath.Join(t.TempDir(), "1"+suffix)
	os.Symlink("/etc/passwd", link)
	if _, _, err := grab(link); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a link: %v", err)
	}
}

// Whatever a journal says, no file but a sysctl of the network is written.
func TestAJournalCannotNameAnyFile(t *testing.T) {
	h, err := host.Open()
	if err != nil {
		t.Skip(err)
	}
	defer h.Close()
	for _, path := range []string{"../../etc/none", "net/../kernel/none", "net/ipv4/../../kernel/none", "/etc/none", "kernel/none", ""} {
		if err := h.Undo(host.Change{Kind: host.KindSysctl, Path: path, Text: "x"}); err == nil {
			t.Errorf("%q was written", path)
		}
	}
	if err := h.Undo(host.Change{Kind: "run", Text: "/bin/true"}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("an unknown kind: %v", err)
	}
}
