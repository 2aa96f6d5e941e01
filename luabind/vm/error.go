package vm

import (
	"errors"
	"fmt"
	"strings"
)

// Reason says which kind of failure an [Error] is; callers count by it.
type Reason uint8

const (
	Syntax       Reason = iota // the source does not compile
	Runtime                    // the script failed: error(), a nil index, a bad argument
	Instructions               // the instruction budget of the entry is spent
	Memory                     // the state holds more than Limits.Memory
	String                     // a string would be longer than Limits.String
	Coroutines                 // too many coroutines, or nested too deep
	Panic                      // a Go function panicked; the state is broken
)

var reasonNames = [...]string{"syntax", "runtime", "instructions", "memory", "string", "coroutines", "panic"}

// String is the word for a counter's label: "runtime", "instructions" and so on.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// Error is every failure of a script, from Compile, Run, Call and Resume. It holds
// text only, nothing of the state that failed, so it may be kept.
type Error struct {
	Reason  Reason
	Script  string // name of the chunk, as given to Compile; "" if no script line is to blame
	Line    int    // 1-based; 0 if unknown
	Column  int    // 1-based, of syntax errors and by Locate; 0 if unknown
	Message string // without position, at most 4 KiB
	Source  string // the source line, where the column is known
	// Traceback has one line per Lua function that was active, innermost first,
	// without the frames of the host.
	Traceback []string
	// Cause is the Go error that a binding raised with [State.Raise], or nil.
	Cause error
}

// Error is one line: position, message. See [Error.Detail] for the rest.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Script != "" {
		b.WriteString(e.Script)
		b.WriteByte(':')
		if e.Line > 0 {
			fmt.Fprintf(&b, "%d:", e.Line)
			if e.Column > 0 {
				fmt.Fprintf(&b, "%d:", e.Column)
			}
		}
		b.WriteByte(' ')
	}
	b.WriteString(e.Message)
	return b.String()
}

// Class is the Reason's word, or that of the Go error behind it, by which the engine
// counts failures.
func (e *Error) Class() string {
	if c, ok := errors.AsType[interface {
		error
		Class() string
	}](e.Cause); ok {
		return c.Class()
	}
	return e.Reason.String()
}

// Unwrap is the Go error behind it, so that errors.Is and errors.As see through.
func (e *Error) Unwrap() error { return e.Cause }

// causeDetail is the message as the Go error behind it tells it on several lines, if it
// does.
func (e *Error) causeDetail() (string, bool) {
	d, ok := errors.AsType[interface {
		error
		Detail() string
	}](e.Cause)
	if !ok {
		return "", false
	}
	at, ok := strings.CutSuffix(e.Error(), clip(d.Error()))
	if !ok {
		return "", false // a script has made another message of it
	}
	return at + strings.ReplaceAll(d.Detail(), "\n", "\n    "), true
}

// Detail is the message with what helps to find the place: the source line and a
// caret for syntax errors, the traceback for the others. It ends without a newline.
func (e *Error) Detail() string {
	var b strings.Builder
	b.WriteString(e.Error())
	if text, ok := e.causeDetail(); ok {
		b.Reset()
		b.WriteString(text)
	}
	if e.Source != "" && e.Column > 0 {
		b.WriteString("\n    ")
		b.WriteString(e.Source)
		b.WriteString("\n    ")
		for i, c := range []byte(e.Source) {
			if i >= e.Column-1 {
				break
			}
			if c != '\t' {
				c = ' '
			}
			b.WriteByte(c)
		}
		b.WriteByte('^')
	}
	for _, l := range e.Traceback {
		b.WriteString("\n    ")
		b.WriteString(l)
	}
	return b.String()
}
