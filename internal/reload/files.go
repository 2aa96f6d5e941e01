package reload

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Files are the files that scripts are made of: their own, and what they require. Safe
// for concurrent use. The zero value has none.
type Files struct {
	mu  sync.Mutex
	all map[string]*made
}

// made is what one file is to the scripts.
type made struct {
	scripts map[int]bool
	held    hash // when it was first heard of
}

// Add says that script i is made of the file at path, too. It is called before the file is
// read: what is saved from then on is a change, also where nobody watches yet. What a
// script once was made of stays: a module that it has let go of is one load too many.
func (f *Files) Add(i int, path string) {
	if abs, err := filepath.Abs(path); err == nil { // as the system will name it
		path = abs
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[string]*made{}
	}
	if f.all[path] == nil {
		held, _ := look(path)
		f.all[path] = &made{scripts: map[int]bool{}, held: held}
	}
	f.all[path].scripts[i] = true
}

// Again reports why a script cannot be loaded from path again: what is no file, such as the
// pipe that a shell makes of <(...), was read and is gone, and to open one may take for ever.
// What is not there, or a folder, is for who loads it.
func Again(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return fmt.Errorf("%s is a pipe or the like, which is read once: give the script as a file to reload it", path)
	}
	return nil
}

// paths are those of all files, sorted.
func (f *Files) paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.all))
}

// held is what the file at path, which is one of them, held when it was first heard of.
func (f *Files) held(path string) hash {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all[path].held
}

// of are the scripts that are made of one of these files, in their order.
func (f *Files) of(paths []string) []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[int]bool{}
	for _, p := range paths {
		if m := f.all[p]; m != nil {
			maps.Copy(all, m.scripts)
		}
	}
	return slices.Sorted(maps.Keys(all))
}
