package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// directory is where journals are; it may not exist yet.
func directory() (string, error) {
	if dir, _, _ := strings.Cut(os.Getenv("RUNTIME_DIRECTORY"), ":"); dir != "" {
		return dir, nil
	}
	if os.Geteuid() == 0 {
		return "/run/tunscript", nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "tunscript"), nil
	}
	return "", errors.New("no place for the journal of changes: set XDG_RUNTIME_DIR to a folder of your own")
}

// openDirectory locks the folder of journals against other keepers until it is closed.
// Nobody else may write there: what a journal says is done with our rights.
func openDirectory() (*os.File, error) {
	path, err := directory()
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return lockDirectory(path)
}

func lockDirectory(path string) (*os.File, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	err = unix.Fstat(int(dir.Fd()), &st)
	switch {
	case err != nil:
	case int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0:
		err = fmt.Errorf("%s: others may write there, and what is in it is done with your rights: chown it to yourself and chmod 700", path)
	default:
		err = ignoringEINTR(func() error { return unix.Flock(int(dir.Fd()), unix.LOCK_EX) })
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return dir, nil
}

func ignoringEINTR(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
