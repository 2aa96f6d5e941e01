package tundev

import (
	"errors"
	"strings"
)

// The kinds of failure. An *Error wraps one of them, and the kernel's errno.
var (
	ErrNoTunDevice = errors.New("there is no TUN device driver")
	ErrPermission  = errors.New("not permitted")
	ErrBusy        = errors.New("somebody else holds the device")
	ErrMismatch    = errors.New("a device of this name is of another kind")
	ErrExists      = errors.New("it exists already")
	ErrBadName     = errors.New("not a name for a device")
	ErrBadConfig   = errors.New("not a possible setting")
	ErrGone        = errors.New("the device is gone")
)

// The errors of a Wire that may not wait.
var (
	ErrFull  = errors.New("the pipe is full: read what waits, or let the engine run")
	ErrEmpty = errors.New("the pipe is empty: nothing was sent, or the engine has to run first")
)

// Error is every failure of Open and FromFD, and of a device that is lost.
type Error struct {
	Op     string // what was tried: "open"
	Device string // its name, as far as known
	Kind   error  // one of the errors above
	Err    error  // the kernel's errno or another cause; nil where the kind says it all
	Fix    string // what to do about it
}

// Error is one line: device, what was tried, kind, cause, what to do.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Device != "" {
		b.WriteString(e.Device)
		b.WriteString(": ")
	}
	b.WriteString(e.Op)
	b.WriteString(": ")
	b.WriteString(e.Kind.Error())
	if e.Err != nil {
		b.WriteString(" (")
		b.WriteString(e.Err.Error())
		b.WriteString(")")
	}
	if e.Fix != "" {
		b.WriteString(": ")
		b.WriteString(e.Fix)
	}
	return b.String()
}

// Unwrap gives both the kind and the cause: errors.Is(err, fs.ErrPermission) finds a
// missing right, too.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}
