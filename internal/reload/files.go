package reload

import (
	"maps"
	"path/filepath"
	"slices"
	"sync"
)

// Files are the files that scripts are made of: their own, and what they require. Safe
// for concurrent use. The zero value has none.
type Files struct {
	mu  sync.Mutex
	all map[string]map[int]bool // scripts, by path
}

// Add says that script i is made of the file at path, too. What a script once was made of
// stays: a module that it has let go of is one load too many.
func (f *Files) Add(i int, path string) {
	if abs, err := filepath.Abs(path); err == nil { // as the system will name it
		path = abs
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[string]map[int]bool{}
	}
	if f.all[path] == nil {
		f.all[path] = map[int]bool{}
	}
	f.all[path][i] = true
}

// paths are those of all files, sorted.
func (f *Files) paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.all))
}

// of are the scripts that are made of one of these files, in their order.
func (f *Files) of(paths []string) []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[int]bool{}
	for _, p := range paths {
		maps.Copy(all, f.all[p])
	}
	return slices.Sorted(maps.Keys(all))
}
