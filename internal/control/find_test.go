package control

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The only run is found wherever its socket is; with two, who asks must choose; what a
// killed one left behind counts for nothing.
func TestFind(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", home)
	if _, err := Find(t.Context()); !errors.Is(err, ErrNotRunning) || !strings.Contains(err.Error(), "--control") {
		t.Errorf("none: %v", err)
	}
	r := newRig(t, echo)
	forget, err := Announce(r.path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Find(t.Context()); err != nil || got != r.path {
		t.Errorf("%q, %v", got, err)
	}
	dead := filepath.Join(home, "tunscript", "1.sock")
	if err := os.Symlink(filepath.Join(home, "gone"), dead); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(t.Context()); err != nil || got != r.path {
		t.Errorf("beside a dead one: %q, %v", got, err)
	}
	if _, err := os.Lstat(dead); !os.IsNotExist(err) {
		t.Error("the dead one stays")
	}
	other, err := net.Listen("unix", filepath.Join(home, "other"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := os.Symlink(other.Addr().String(), dead); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(t.Context()); err == nil || !strings.Contains(err.Error(), "--socket "+r.path) {
		t.Errorf("two: %v", err)
	}
	// One that gave its rights up leaves its link, and the next run has the same socket.
	os.Remove(dead)
	if err := os.Symlink(r.path, dead); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(t.Context()); err != nil || got != r.path {
		t.Errorf("beside one of the same socket: %q, %v", got, err)
	}
	os.Remove(dead)
	forget()
	if _, err := Find(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("forgotten: %v", err)
	}
}

// A folder into which others can put sockets is not searched.
func TestFindRefusesOthersFolders(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", home)
	dir := filepath.Join(home, "tunscript")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(t.Context()); err == nil || !strings.Contains(err.Error(), "not a folder of this user alone") {
		t.Error(err)
	}
}

// Of two labs, whose first process is number 1 in each, both are found, and a third takes
// the place of one that is gone.
func TestAnnounceBeside(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", home)
	var forget [2]func()
	var sockets [2]net.Listener
	for i, name := range []string{"one", "two"} {
		l, err := net.Listen("unix", filepath.Join(home, name))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		sockets[i] = l
		if forget[i], err = Announce(l.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Find(t.Context())
	if err == nil || !strings.Contains(err.Error(), filepath.Join(home, "one")) || !strings.Contains(err.Error(), filepath.Join(home, "two")) {
		t.Errorf("two: %v", err)
	}
	sockets[0].Close()
	again, err := Announce(sockets[1].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Find(t.Context()); err != nil || got != sockets[1].Addr().String() {
		t.Errorf("%q, %v", got, err)
	}
	again()
	forget[1]()
	if left, err := os.ReadDir(filepath.Join(home, "tunscript")); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// Who looks for a run makes no folder.
func TestFindMakesNothing(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", home)
	if _, err := Find(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Error(err)
	}
	if left, err := os.ReadDir(home); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// In a lab an ordinary user is root, and is found under his own number.
func TestOutside(t *testing.T) {
	for _, c := range []struct {
		uid  int
		maps string
		want int
	}{
		{0, "         0          0 4294967295\n", 0},
		{1000, "         0          0 4294967295\n", 1000},
		{0, "         0       1000          1\n", 1000},
		{5, "0 1000 1\n1 100000 65536\n", 100004},
		{7, "0 1000 1\n", 7},
		{7, "", 7},
	} {
		if got := outside(c.uid, c.maps); got != c.want {
			t.Errorf("%d in %q is %d, want %d", c.uid, c.maps, got, c.want)
		}
	}
}
