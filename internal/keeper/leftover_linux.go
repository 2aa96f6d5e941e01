package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// Leftovers are what runs have left that were killed together with their keepers, of
// all network namespaces and those of the caller's user only: root's are in
// /run/tunscript, which others may not even read.
func Leftovers() ([]Leftover, error) {
	path, err := directory()
	if err != nil {
		return nil, nil // then nobody has written any
	}
	dir, err := lockDirectory(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return leftovers(path)
}

// leftovers is Leftovers in a folder that the caller has locked.
func leftovers(dir string) (list []Leftover, err error) {
	dead, _, err := journals(dir, "")
	return dead, err
}

// journals are those of dead keepers, and what the living ones of our own namespace
// have changed, but for the one at the path except.
func journals(dir, except string) (dead []Leftover, living []host.Change, err error) {
	now, err := here()
	if err != nil {
		return nil, nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, nil, err
	}
	for _, path := range paths {
		if path == except {
			continue
		}
		f, alive, err := grab(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		h, changes, err := read(f)
		f.Close()
		if err != nil {
			return nil, nil, err
		}
		switch {
		case !alive:
			if h.Boot != now.Boot {
				changes = nil
			}
			dead = append(dead, Leftover{Path: path, PID: h.PID, Since: h.Since, Namespace: h.Namespace,
				Here: now.same(h) || h.Boot != now.Boot, Changes: changes})
		case now.same(h):
			living = append(living, changes...)
		}
	}
	return dead, living, nil
}

// grab opens a journal, and locks it unless its keeper is alive.
func grab(path string) (f *os.File, alive bool, err error) {
	f, err = os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, false, err
	}
	err = ignoringEINTR(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return f, true, nil
	}
	if err != nil {
		f.Close()
		return nil, false, err
	}
	return f, false, nil
}

// Undo takes the changes back, the last one first, and removes the journal if that
// went well. What somebody else has undone by now is no error. It needs the rights
// that making them needed, and the network namespace: see [ErrElsewhere].
func (l Leftover) Undo() error {
	dir, err := lockDirectory(filepath.Dir(l.Path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return l.undo()
}

func (l Leftover) undo() error {
	if !l.Here {
		return fmt.Errorf("%w, %s: run this in it (ip netns exec NAME, or nsenter), or if it is gone remove %s",
			ErrElsewhere, l.Namespace, l.Path)
	}
	f, alive, err := grab(l.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // undone meanwhile
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if alive {
		return fmt.Errorf("%s: the run lives, and undoes it when it ends", l.Path)
	}
	_, living, err := journals(filepath.Dir(l.Path), l.Path)
	if err != nil {
		return err
	}
	if err := undo(l.Changes, living); err != nil {
		return err
	}
	return os.Remove(l.Path)
}

// undo takes changes back, the last one first, but for sysctls that somebody who lives
// needs as they are.
func undo(changes, living []host.Change) error {
	runtime.LockOSThread() // the namespace is the thread's
	defer runtime.UnlockOSThread()
	h, err := host.Open()
	if err != nil {
		return err
	}
	defer h.Close()
	var errs []error
	for i := len(changes) - 1; i >= 0; i-- {
		if c := changes[i]; !wanted(c, living) {
			errs = append(errs, h.Undo(c))
		}
	}
	return errors.Join(errs...)
}

// wanted says whether c is a sysctl that one of the living has set as well.
func wanted(c host.Change, living []host.Change) bool {
	_, ok := found(c, living)
	return ok
}

// found is what one of the living found where c is.
func found(c host.Change, living []host.Change) (string, bool) {
	if c.Kind == host.KindSysctl {
		for _, other := range living {
			if other.Kind == c.Kind && other.Path == c.Path {
				return other.Text, true
			}
		}
	}
	return "", false
}
