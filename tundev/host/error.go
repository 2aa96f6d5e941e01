package host

import (
	"errors"
	"strings"
)

var (
	// ErrNoLink says that the namespace has no device of that name.
	ErrNoLink = errors.New("no such device")
	// ErrRouteTaken says that the destination is already reached through another device.
	ErrRouteTaken = errors.New("another route leads there")
)

// Error is every failure of this package.
type Error struct {
	Op     string // what was tried: "set mtu 70000"
	Device string // name of the link; "" where it concerns none
	Err    error  // the kernel's errno, ErrNoLink, ErrRouteTaken, os.ErrClosed or errors.ErrUnsupported
	Fix    string // what to do about it; "" where the error says it all
}

// Error is one line: device, operation, cause, what to do.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Device != "" {
		b.WriteString(e.Device)
		b.WriteString(": ")
	}
	b.WriteString(e.Op)
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	if e.Fix != "" {
		b.WriteString("; ")
		b.WriteString(e.Fix)
	}
	return b.String()
}

// Unwrap is the cause: errors.Is(err, fs.ErrPermission) finds a missing capability.
func (e *Error) Unwrap() error { return e.Err }
