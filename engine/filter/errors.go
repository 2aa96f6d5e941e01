package filter

import "fmt"

// A SyntaxError says where a filter text cannot be understood, and why.
type SyntaxError struct {
	Text       string // the whole text
	Column     int    // in bytes, from 1
	Message    string // what is wrong
	Suggestion string // the word that was probably meant, or ""
}

func (e *SyntaxError) Error() string {
	msg := fmt.Sprintf("filter %q: column %d: %s", e.Text, e.Column, e.Message)
	if e.Suggestion != "" {
		msg += fmt.Sprintf(" (did you mean %q?)", e.Suggestion)
	}
	return msg
}
