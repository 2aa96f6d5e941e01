package filter

import "fmt"

// A SyntaxError says where a filter text cannot be understood, and why.
type SyntaxError struct {
	Text       string // the whole text
	Column     int    // in bytes, from 1; one past the end where something is missing
	Message    string // what is wrong, and what to write instead
	Suggestion string // the word that was probably meant, or ""
}

func (e *SyntaxError) Error() string {
	msg := fmt.Sprintf("filter: column %d of %q: %s", e.Column, clip(e.Text), e.Message)
	if e.Suggestion != "" {
		msg += fmt.Sprintf("; did you mean %q?", e.Suggestion)
	}
	return msg
}

// clip keeps an error readable when the text is not.
func clip(text string) string {
	if len(text) > 200 {
		return text[:200] + "..."
	}
	return text
}
