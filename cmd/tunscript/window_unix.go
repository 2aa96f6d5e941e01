//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// windowSize is that of the terminal f, 0 and 0 where it cannot be told.
func windowSize(f *os.File) (rows, cols int) {
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(ws.Row), int(ws.Col)
}
