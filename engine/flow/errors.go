package flow

import (
	"errors"
	"fmt"
)

// Errors of rules.
var (
	ErrEnded     = errors.New("the flow has ended: ask the next packet for its flow")
	ErrTaken     = errors.New("another flow looks like that already: rewrite to another address or port, or let it be \"free\"")
	ErrExhausted = errors.New("no port was free: rewrite to one more address")
	ErrConflict  = errors.New("another program rewrites that of this flow already: let one of them do it")
)

// A RewriteError says why a field cannot be rewritten in this flow.
type RewriteError struct {
	Field string // "src", "dst", "sport", "dport"; "" for all of it
	Why   string // what is wrong and what would be right
}

func (e *RewriteError) Error() string {
	if e.Field == "" {
		return e.Why
	}
	return fmt.Sprintf("%s: %s", e.Field, e.Why)
}
