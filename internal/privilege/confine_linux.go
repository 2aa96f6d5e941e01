package privilege

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// ErrNoLandlock says that the kernel cannot confine a process to files.
var ErrNoLandlock = errors.New("this kernel has no Landlock: files are not confined, only the user's rights count")

const (
	mayRead   = ll.AccessFSReadFile | ll.AccessFSReadDir
	mayWrite  = ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate
	mayMake   = ll.AccessFSMakeReg | ll.AccessFSMakeSock
	mayRemove = ll.AccessFSRemoveFile
)

// Confine takes away all files but these, for good, also from programs that are
// started; none of those can be, as nothing may be executed. What is open stays so.
// An older kernel confines less; one that cannot at all is an [ErrNoLandlock].
func Confine(f Files) error {
	if abi, err := ll.LandlockGetABIVersion(); err != nil || abi < 1 {
		return ErrNoLandlock
	}
	var rules []landlock.Rule
	allow := func(rights landlock.AccessFSSet, path string) {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			rights &^= ll.AccessFSReadDir | mayMake | mayRemove // these are about folders
		}
		if rights != 0 {
			rules = append(rules, landlock.PathAccess(rights, path).IgnoreIfMissing())
		}
	}
	for _, path := range f.Read {
		allow(mayRead, path)
	}
	for _, path := range f.Write {
		if _, err := os.Stat(path); err != nil {
			path = filepath.Dir(path)
		}
		allow(mayWrite|mayMake, path)
	}
	for _, path := range f.Remove {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrPermission) {
			continue // out of this user's reach: nothing is left to allow
		}
		allow(mayRemove, path)
	}
	return landlock.V5.BestEffort().RestrictPaths(rules...)
}
