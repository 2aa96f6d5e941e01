package control

import (
	"errors"
	"io/fs"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/reload"
	"github.com/tunscript/tunscript/luabind"
)

// A Kind says what sort of error it is: which exit status it is worth.
type Kind string

const (
	KindFailed Kind = "failed" // while running
	KindUsage  Kind = "usage"  // what was asked makes no sense
	KindScript Kind = "script" // a script does not load
)

// An Error is one that happened at the other end.
type Error struct {
	Kind Kind   `json:"kind"`
	Text string `json:"text"`
	// More is the text with what helps to find the place, a caret or a traceback; empty
	// if there is nothing.
	More string `json:"detail,omitempty"`
}

func (e *Error) Error() string { return e.Text }

// Detail implements engine.Detailed.
func (e *Error) Detail() string { return e.More }

// ErrNotRunning says that nothing answers at a socket, or that there is none.
var ErrNotRunning = errors.New("nothing runs there")

// mistake is an error of who asks.
func mistake(err error) *Error { return &Error{Kind: KindUsage, Text: err.Error()} }

// wireError is err as it goes over the wire.
func wireError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	w := &Error{Kind: KindFailed, Text: err.Error()}
	var d engine.Detailed
	if errors.As(err, &d) {
		w.More = d.Detail()
	}
	var oe *luabind.OptionError
	var ue *reload.UnknownError
	var se *luabind.ScriptError
	var pe *fs.PathError
	switch {
	case errors.As(err, &oe), errors.As(err, &ue):
		w.Kind = KindUsage
	case errors.As(err, &se), errors.As(err, &pe):
		w.Kind = KindScript
	}
	return w
}

// wireErrors are the errors that err joins, each for itself.
func wireErrors(err error) (all []*Error) {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range many.Unwrap() {
			all = append(all, wireErrors(one)...)
		}
		return all
	}
	return []*Error{wireError(err)}
}
