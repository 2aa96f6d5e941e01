package link

import (
	"errors"
	"strings"
)

// The kinds of failure. An *Error wraps one of them.
var (
	ErrBadConfig   = errors.New("not a possible setting")
	ErrInsecure    = errors.New("anybody on the network could send packets")
	ErrCertificate = errors.New("a certificate cannot be used")
	ErrListen      = errors.New("the address cannot be listened on")
	ErrVirtual     = errors.New("a link has no virtual time")
	ErrPeerGone    = errors.New("the peer is gone")
)

// What a peer may do wrong, as the reason why it was let go.
var (
	errTorn    = errors.New("it ended within a frame")
	errStalled = errors.New("a frame that it has begun took too long")
	errFull    = errors.New("it does not read what is sent")
)

// Error is every failure of Open and Attach, and of a link that has lost its only peer.
type Error struct {
	Op     string // what was tried: "listen on 192.0.2.1:7001"
	Device string // the link's name
	Kind   error  // one of the errors above
	Err    error  // the system's error or another cause; nil where the kind says it all
	Fix    string // what to do about it
}

// Error is one line: device, what was tried, kind, cause, what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Device + ": " + e.Op + ": " + e.Kind.Error())
	if e.Err != nil {
		b.WriteString(" (" + e.Err.Error() + ")")
	}
	if e.Fix != "" {
		b.WriteString(": " + e.Fix)
	}
	return b.String()
}

// Unwrap gives both the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}
