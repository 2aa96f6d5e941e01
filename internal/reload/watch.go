package reload

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// How long a file must be left alone before it counts as saved, how long one that is not
// left alone is waited for, and how often a folder that is gone is looked for.
const (
	settle  = 50 * time.Millisecond
	hurry   = 500 * time.Millisecond
	missing = time.Second
)

// A Watcher reloads scripts when their files are saved.
//
// Folders are watched, not files: most editors write a new file and give it the old one's
// name, some take the old one away first. What counts is what a file holds, so saving it
// as it was, a change of its mode, and whatever else happens in the folder reload nothing;
// and a save in several steps is one.
type Watcher struct {
	scripts *Scripts
	files   *Files
	settle  time.Duration
	notify  *fsnotify.Watcher
	holds   map[string]hash // what files held at the last look, by path
	folders map[string]bool // watched
	more    bool            // some of them only since the last look
}

// hash is of what a file holds; the zero value is of one that is not there.
type hash [sha256.Size]byte

// NewWatcher begins to watch: what the files held when they were added is what runs. It
// fails where the system cannot watch. Run, which must follow, ends it.
func NewWatcher(scripts *Scripts, files *Files) (*Watcher, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching files: %w: raise the sysctl fs.inotify.max_user_instances, or reload with SIGHUP", err)
	}
	w := &Watcher{scripts: scripts, files: files, settle: settle, notify: n, holds: map[string]hash{}, folders: map[string]bool{}}
	w.follow()
	return w, nil
}

// Run reloads what is saved until ctx ends, and has report told of every reload as
// Scripts.All returns.
func (w *Watcher) Run(ctx context.Context, report func(done []string, err error)) {
	defer w.notify.Close()
	for ctx.Err() == nil {
		if which := w.files.of(w.wait(ctx)); len(which) > 0 {
			report(w.scripts.some(which))
		}
	}
}

// wait returns the files that were saved, once they are.
func (w *Watcher) wait(ctx context.Context) []string {
	var quiet, latest <-chan time.Time // nil: nothing has happened yet
	var retry <-chan time.Time
	all := w.follow()
	if w.more { // something may have been saved there before it was watched
		quiet = time.After(w.settle)
	}
	if !all {
		retry = time.After(missing)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-w.notify.Events:
			// What happens to others in the folder does not put off what was saved.
			if quiet == nil || w.concerns(e.Name) {
				quiet = time.After(w.settle)
			}
			if latest == nil {
				latest = time.After(max(hurry, w.settle))
			}
			if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
				delete(w.folders, filepath.Clean(e.Name)) // if it was one
			}
			continue
		case <-w.notify.Errors: // too much at once: look
		case <-quiet:
		case <-latest:
		case <-retry:
		}
		return w.changed()
	}
}

// concerns reports whether a path is one of the files, as far as its name tells.
func (w *Watcher) concerns(path string) bool {
	_, ok := w.holds[path]
	return ok
}

// follow watches the folders of all files, and those that links lead to, and takes up
// files that are new to it, with what they held before they were read. It reports whether
// all folders are there.
func (w *Watcher) follow() (all bool) {
	all = true
	add := func(dir string) {
		if w.folders[dir] {
			return
		}
		if err := w.notify.Add(dir); err != nil {
			all = false
			return
		}
		w.folders[dir], w.more = true, true
	}
	for _, path := range w.files.paths() {
		add(filepath.Dir(path))
		if real, err := filepath.EvalSymlinks(path); err == nil {
			add(filepath.Dir(real))
		}
		if _, known := w.holds[path]; !known {
			w.holds[path] = w.files.held(path)
		}
	}
	return all
}

// changed are the files that hold something else than when it looked last. One that is
// not there has not changed: it is on its way.
func (w *Watcher) changed() (paths []string) {
	w.more = false
	for path, was := range w.holds {
		if now, err := look(path); err == nil && now != was {
			w.holds[path] = now
			paths = append(paths, path)
		}
	}
	return paths
}

// looked is how much of a file is looked at, as somebody may have put anything there: more
// than a script may be long, so what is behind it makes no other script.
const looked = 1 << 20

// look is what the file at path holds. What is no file, such as the pipe that a shell makes
// of <(...), is not looked at: what is read from that is gone for who comes next.
func look(path string) (hash, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return hash{}, err
	case !info.Mode().IsRegular():
		return hash{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return hash{}, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(f, looked)); err != nil {
		return hash{}, err
	}
	return hash(sum.Sum(nil)), nil
}
