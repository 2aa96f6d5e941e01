package lint

import (
	"fmt"

	"github.com/tunscript/tunscript/luabind"
)

// A Severity says what becomes of a script with the finding.
type Severity uint8

const (
	Warning Severity = iota // it runs, and probably does not do what was meant
	Error                   // it does not load, or raises when the line runs
)

func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// A Finding is one mistake and its place.
type Finding struct {
	File       string
	Line       int // from 1
	Column     int // in bytes, from 1; 0 if unknown
	Word       string
	Message    string // what is wrong and what to do
	Suggestion string // what was probably meant in place of Word, or ""
	Severity   Severity
	Source     string // the line
}

// Error is one line: position and message.
func (f Finding) Error() string { return f.scriptError().Error() }

// Detail is Error with the source line and a caret below.
func (f Finding) Detail() string { return f.scriptError().Detail() }

// scriptError renders a finding as an error of the script is rendered.
func (f Finding) scriptError() *luabind.ScriptError {
	msg := f.Message
	if f.Suggestion != "" {
		msg += fmt.Sprintf("; did you mean %q?", f.Suggestion)
	}
	if f.Severity == Warning {
		msg = "warning: " + msg
	}
	return &luabind.ScriptError{Script: f.File, Line: f.Line, Column: f.Column, Message: msg, Source: f.Source}
}

// maxFindings bounds what is reported of one file.
const maxFindings = 100

// report notes a mistake at a token. The same place is reported once.
func (f *file) report(at int, sev Severity, word, suggestion, format string, args ...any) {
	line, column := f.tokens.position(at)
	f.reportAt(line, column, sev, word, suggestion, format, args...)
}

func (f *file) reportAt(line, column int, sev Severity, word, suggestion, format string, args ...any) {
	place := [2]int{line, column}
	if f.reported[place] || len(f.findings) >= maxFindings {
		return
	}
	f.reported[place] = true
	f.findings = append(f.findings, Finding{
		File: f.name, Line: line, Column: column, Word: word, Suggestion: suggestion,
		Message: fmt.Sprintf(format, args...), Severity: sev, Source: f.tokens.line(line),
	})
	if len(f.findings) == maxFindings {
		f.findings[maxFindings-1].Message += fmt.Sprintf(" (more than %d mistakes: the rest is not shown)", maxFindings-1)
	}
}
