package reload

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
)

// A desk is a folder of scripts that somebody edits. A script is a text; a line
// "require x" has it made of x.lua, too, and "mistake" does not load.
type desk struct {
	t       *testing.T
	dir     string
	scripts *Scripts
	files   *Files
	reports chan string
}

// newDesk watches scripts a.lua and b.lua.
func newDesk(t *testing.T, settle time.Duration) *desk {
	t.Helper()
	d := loadDesk(t)
	d.watch(settle)
	return d
}

// loadDesk has loaded scripts a.lua and b.lua, and does not watch them yet.
func loadDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), files: new(Files), reports: make(chan string, 100)}
	d.write("a.lua", "a")
	d.write("b.lua", "b\nrequire lib")
	d.write("lib.lua", "lib")
	load := func(i int) (engine.Program, error) {
		b, err := os.ReadFile(d.path("ab"[i:i+1] + ".lua"))
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(b)) {
			if name, ok := strings.CutPrefix(strings.TrimSpace(line), "require "); ok {
				path := d.path(name + ".lua")
				d.files.Add(i, path)
				if _, err := os.ReadFile(path); err != nil {
					return nil, errors.New("no module " + name)
				}
			}
			if strings.HasPrefix(line, "mistake") {
				return nil, errors.New("mistake")
			}
		}
		return program("ab"[i : i+1]), nil
	}
	var running []engine.Program
	for i, name := range []string{"a.lua", "b.lua"} {
		d.files.Add(i, d.path(name))
		p, err := load(i)
		if err != nil {
			t.Fatal(err)
		}
		running = append(running, p)
	}
	d.scripts = New(new(swaps), running, load)
	return d
}

// watch reloads what is saved, until the test ends.
func (d *desk) watch(settle time.Duration) {
	d.t.Helper()
	w, err := NewWatcher(d.scripts, d.files)
	if err != nil {
		d.t.Fatal(err)
	}
	w.settle = settle
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(ctx, func(done []string, err error) {
			s := strings.Join(done, " ")
			if err != nil {
				s = strings.TrimSpace(s + " " + err.Error())
			}
			d.reports <- s
		})
	}()
	d.t.Cleanup(func() { stop(); <-ended })
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// over saves as many editors do: into another file that then takes the name.
func (d *desk) over(name, text string) {
	d.t.Helper()
	d.write(name+"~new", text)
	d.rename(name+"~new", name)
}

func (d *desk) rename(from, to string) {
	d.t.Helper()
	if err := os.Rename(d.path(from), d.path(to)); err != nil {
		d.t.Fatal(err)
	}
}

// want is the next report, and there is no other before it.
func (d *desk) want(report string) {
	d.t.Helper()
	select {
	case got := <-d.reports:
		if got != report {
			d.t.Errorf("reload of %q, want %q", got, report)
		}
	case <-time.After(20 * time.Second):
		d.t.Fatalf("nothing is reloaded, want %q", report)
	}
}

// However a file is saved, its script is reloaded, and no other.
func TestWatchSaves(t *testing.T) {
	t.Parallel()
	d := newDesk(t, settle)
	d.over("a.lua", "a, renamed over")
	d.want("a")
	d.over("a.lua", "a, renamed over again")
	d.want("a")
	d.rename("b.lua", "b.lua~") // as vim does with a backup
	d.over("b.lua", "b, from nothing\nrequire lib")
	d.want("b")
	if err := os.Remove(d.path("a.lua")); err != nil {
		t.Fatal(err)
	}
	d.over("lib.lua", "a module of b")
	d.want("b")
	d.over("a.lua", "a is back")
	d.want("a")
}

// What is saved after its script was loaded, and before anybody watches, is not lost.
func TestWatchSavedBefore(t *testing.T) {
	t.Parallel()
	d := loadDesk(t)
	d.over("lib.lua", "while b starts")
	d.watch(settle)
	d.want("b")
}

// What changes nothing reloads nothing.
func TestWatchIgnores(t *testing.T) {
	t.Parallel()
	d := newDesk(t, settle)
	d.write("other.lua", "nobody's")
	d.over("a.lua", "a") // as it was
	if err := os.Chmod(d.path("b.lua"), 0o640); err != nil {
		t.Fatal(err)
	}
	d.over("b.lua", "b, changed")
	d.want("b")
	if len(d.reports) > 0 {
		t.Errorf("and then of %q", <-d.reports)
	}
}

// Several saves within a moment are one reload, of the last.
func TestWatchBurst(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 2*time.Second)
	for range 20 {
		d.write("a.lua", "mistake") // in the middle of it
	}
	d.write("lib.lua", "changed")
	d.write("a.lua", "a, done")
	d.want("a b")
}

// A mistake is told, and the next save is a reload again; also where it is in a module, or
// that one is not there yet.
func TestWatchMistakes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, settle)
	d.over("a.lua", "mistake")
	d.want("mistake")
	d.over("a.lua", "mended")
	d.want("a")
	d.over("a.lua", "require new")
	d.want("no module new")
	d.over("new.lua", "there")
	d.want("a")
}

// A folder that goes and comes back, as when another branch is checked out.
func TestWatchFolderComesBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t, settle)
	if err := os.Rename(d.dir, d.dir+"~"); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(d.dir + "~")
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	d.over("a.lua", "a, in another folder")
	d.want("a")
	d.over("a.lua", "and again")
	d.want("a")
}

// A link to a script elsewhere: what counts is what it leads to.
func TestWatchLink(t *testing.T) {
	t.Parallel()
	d := newDesk(t, settle)
	elsewhere := filepath.Join(t.TempDir(), "real.lua")
	if err := os.WriteFile(elsewhere, []byte("real"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(d.path("link"))
	if err := os.Symlink(elsewhere, d.path("link")); err != nil {
		t.Fatal(err)
	}
	d.rename("link", "a.lua")
	d.want("a")
	if err := os.WriteFile(elsewhere, []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.want("a")
}

// A file that holds terabytes is looked at as far as a script could go, and no farther.
func TestWatchHuge(t *testing.T) {
	t.Parallel()
	d := newDesk(t, settle)
	d.write("huge", "mistake\n")
	if err := os.Truncate(d.path("huge"), 1<<40); err != nil {
		t.Skip("the file system has no holes: ", err)
	}
	began := time.Now()
	if _, err := look(d.path("huge")); err != nil || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
