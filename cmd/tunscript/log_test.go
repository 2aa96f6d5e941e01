package main

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLines(t *testing.T) {
	var b bytes.Buffer
	h := &lineHandler{w: &b, mu: new(sync.Mutex)}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, r := range []struct {
		level slog.Level
		msg   string
		args  []any
		want  string
	}{
		{slog.LevelInfo, "ready", []any{"device", "tun0"}, "03:04:05 ready device=tun0\n"},
		{slog.LevelWarn, "a b", []any{"error", "x y"}, "03:04:05 WARN a b error=\"x y\"\n"},
		{slog.LevelError, "failed", []any{"error", "a.lua:1: no", "detail", "a.lua:1: no\n    a.lua:1: in main chunk"},
			"03:04:05 ERROR failed\n    a.lua:1: no\n        a.lua:1: in main chunk\n"},
		{slog.LevelInfo, "\x1b[2Jgone?\x07 \u009b1m", nil, "03:04:05 ?[2Jgone?? ?1m\n"},
		{slog.LevelInfo, "one\ntwo\n", nil, "03:04:05 one\n    two\n"},
	} {
		b.Reset()
		rec := slog.NewRecord(at, r.level, r.msg, 0)
		rec.Add(r.args...)
		if err := h.Handle(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		if b.String() != r.want {
			t.Errorf("got  %q\nwant %q", b.String(), r.want)
		}
	}
}

func TestLogFormats(t *testing.T) {
	var b bytes.Buffer
	log, err := newLog(&b, "json", slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("ready", "device", "tun0")
	if !strings.Contains(b.String(), `"msg":"ready","device":"tun0"`) {
		t.Errorf("got %s", b.String())
	}
	if _, err := newLog(&b, "xml", slog.LevelInfo); err == nil {
		t.Error("xml is not refused")
	}
}
