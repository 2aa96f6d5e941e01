package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// newLog is the log of the command, on stderr: lines for people, or JSON.
func newLog(w io.Writer, format string, least slog.Level) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(&lineHandler{w: w, least: least, mu: new(sync.Mutex)}), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: least})), nil
	}
	return nil, fmt.Errorf("--log-format is %q, want text or json", format)
}

// lineHandler writes a line a record:
//
//	12:03:04 ERROR a script failed handler=gate.lua:3 error="..."
//
// An attribute "detail", which has several lines, follows indented.
type lineHandler struct {
	w     io.Writer
	least slog.Level
	mu    *sync.Mutex
	attrs []slog.Attr
}

func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.least
}

func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	when := r.Time
	if when.IsZero() {
		when = time.Now()
	}
	b.WriteString(when.Format("15:04:05"))
	if r.Level != slog.LevelInfo {
		fmt.Fprintf(&b, " %s", r.Level)
	}
	fmt.Fprintf(&b, " %s", lines(r.Message))
	detail := ""
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "detail" {
			detail = a.Value.String()
		}
		return true
	})
	each := func(a slog.Attr) bool {
		if a.Key == "detail" || a.Key == "error" && detail != "" { // the detail begins with the error
			return true
		}
		v := a.Value.String()
		if v == "" || strings.ContainsAny(v, " \t\n\"=") {
			v = fmt.Sprintf("%q", v)
		}
		fmt.Fprintf(&b, " %s=%s", a.Key, v)
		return true
	}
	for _, a := range h.attrs {
		each(a)
	}
	r.Attrs(each)
	b.WriteByte('\n')
	if detail != "" {
		b.WriteString("    " + lines(detail) + "\n")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.w.Write(b.Bytes())
	return err
}

// lines is text for a terminal: what a script or a packet put into it cannot move
// the cursor or change colours, and further lines are indented.
func lines(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == utf8.RuneError {
			return '?'
		}
		return r
	}, s)
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ")
}

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lineHandler{h.w, h.least, h.mu, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

// WithGroup is not used by tunscript: keys of groups stand as they are.
func (h *lineHandler) WithGroup(string) slog.Handler { return h }
