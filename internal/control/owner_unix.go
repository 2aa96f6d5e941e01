//go:build unix

package control

import (
	"io/fs"
	"os"
	"syscall"
)

// ours reports that a file is this user's.
func ours(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int(st.Uid) == os.Getuid()
}
