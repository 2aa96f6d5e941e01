package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Version is of the protocol. Both ends must speak the same.
const Version = 1

// Bounds of what one end takes from the other.
const (
	maxRequest = 64 << 10 // bytes of a line
	maxAnswer  = 16 << 20
	maxClients = 16
)

// request is a line that a client writes.
type request struct {
	V    int             `json:"v"`
	Do   string          `json:"do"`
	Args json.RawMessage `json:"args,omitempty"`
}

// answer is a line that a server writes.
type answer struct {
	V      int             `json:"v"`
	More   bool            `json:"more,omitempty"` // another line follows
	Result json.RawMessage `json:"result,omitempty"`
	Error  *Error          `json:"error,omitempty"`
}

// parseRequest reads a line. Its errors are *Error.
func parseRequest(line []byte) (request, error) {
	var r request
	if err := strict(line, &r); err != nil {
		return r, mistake(fmt.Errorf("this is no request: %w", err))
	}
	if r.V != Version {
		return r, mistake(fmt.Errorf("the client speaks version %d of the protocol, and this run version %d: use the same tunscript for both", r.V, Version))
	}
	return r, nil
}

// strict decodes all of b, and no key that v does not have.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("something follows the object")
	}
	return nil
}

// encode is v on a line of its own.
func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(b, '\n'), err
}
