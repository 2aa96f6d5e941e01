package control

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tunscript/tunscript/internal/config"
)

// A verb answers one request. An error it returns is the connection's.
type verb func(s *Server, c *conn, args json.RawMessage) error

// verbs are what a client can ask for.
var verbs = map[string]verb{
	"stats":   once((*Server).stats),
	"top":     stream((*Server).top),
	"reload":  once((*Server).reload),
	"set":     once((*Server).set),
	"eval":    once((*Server).eval),
	"flows":   stream((*Server).flows),
	"capture": patiently(stream((*Server).capture)),
	"stop":    once((*Server).end),
}

func unknownVerb(do string) error {
	names := slices.Sorted(maps.Keys(verbs))
	if near := config.Nearest(do, names); near != "" {
		return fmt.Errorf("there is no %q; did you mean %q?", clip(do), near)
	}
	return fmt.Errorf("there is no %q; there is %s", clip(do), strings.Join(names, ", "))
}

// clip keeps what another process has sent from filling a line.
func clip(s string) string { return s[:min(len(s), 100)] }

// once is a verb with one line to its answer.
func once[A, R any](do func(*Server, A) (R, error)) verb {
	return func(s *Server, c *conn, raw json.RawMessage) error {
		var args A
		if err := decodeArgs(raw, &args); err != nil {
			return c.fail(err)
		}
		r, err := do(s, args)
		if err != nil {
			return c.fail(err)
		}
		return c.result(r, false)
	}
}

// stream is a verb that answers with any number of lines, each given to send, before
// the last one. Its context ends when the other side has had enough.
func stream[A, R, L any](do func(s *Server, ctx context.Context, args A, send func(R) error) (L, error)) verb {
	return func(s *Server, c *conn, raw json.RawMessage) error {
		var args A
		if err := decodeArgs(raw, &args); err != nil {
			return c.fail(err)
		}
		ctx, release := c.watched(s.ctx)
		defer release()
		last, err := do(s, ctx, args, func(r R) error { return c.result(r, true) })
		if err != nil {
			return c.fail(err)
		}
		return c.result(last, false)
	}
}

// patiently is a verb that waits for a slow reader.
func patiently(v verb) verb {
	return func(s *Server, c *conn, raw json.RawMessage) error {
		c.patient = true
		defer func() { c.patient = false }()
		return v(s, c, raw)
	}
}

func decodeArgs(raw json.RawMessage, to any) error {
	if len(raw) == 0 {
		return nil
	}
	if err := strict(raw, to); err != nil {
		return mistake(fmt.Errorf("args: %w", err))
	}
	return nil
}

// none are the arguments, or the result, where there is nothing to say.
type none struct{}
