//go:build !linux

package privilege

import "errors"

// ErrNoLandlock says that the kernel cannot confine a process to files.
var ErrNoLandlock = errors.New("Landlock needs Linux: files are not confined, only the user's rights count")

// KeepOnly fails.
func KeepOnly(caps ...int) error { return errors.ErrUnsupported }

// Drop fails.
func Drop(id Identity) error { return errors.ErrUnsupported }

// Confine fails.
func Confine(f Files) error { return ErrNoLandlock }
