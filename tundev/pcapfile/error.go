package pcapfile

import (
	"errors"
	"strconv"
	"strings"
)

// The kinds of failure of a file. An *Error wraps one of them.
var (
	ErrFormat   = errors.New("it is no capture file")
	ErrDamaged  = errors.New("it is damaged")
	ErrLinkType = errors.New("what it captured is neither IP nor Ethernet")
	ErrGap      = errors.New("its time leaps")
)

// Error says what is wrong with a file, and where.
type Error struct {
	File   string
	Record int   // the packet that could not be read, from 1; 0 for the file itself
	Kind   error // one of the errors above
	Err    error // what it was, in detail
	Fix    string
}

// Error is one line: file, record, kind, detail, what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Record > 0 {
		b.WriteString(": packet ")
		b.WriteString(strconv.Itoa(e.Record))
	}
	b.WriteString(": ")
	b.WriteString(e.Kind.Error())
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	if e.Fix != "" {
		b.WriteString("; ")
		b.WriteString(e.Fix)
	}
	return b.String()
}

// Unwrap gives both the kind and the detail.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}
