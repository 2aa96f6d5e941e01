package reload_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tunscript/tunscript/internal/reload"
)

// A pipe in the place of a script or of a module, at whose other end nobody is, holds up
// nobody.
func TestPipes(t *testing.T) {
	m := newMill(t, grist)
	if err := os.Remove(m.path); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(m.path, 0o600); err != nil {
		t.Skip("the file system has no pipes: ", err)
	}
	reloads := func(want string) {
		t.Helper()
		done := make(chan error, 1)
		go func() {
			err, _ := m.reload()
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("it waits for the pipe")
		}
		if tos := m.answered(t); tos != 4 {
			t.Errorf("tos %d", tos)
		}
	}
	reloads("give the script as a file")
	os.Remove(m.path)
	write(t, m.path, "require 'pipe'")
	if err := unix.Mkfifo(filepath.Join(filepath.Dir(m.path), "pipe.lua"), 0o600); err != nil {
		t.Fatal(err)
	}
	reloads("a module is a file")
	for _, path := range []string{m.path, filepath.Dir(m.path), "nowhere"} {
		if err := reload.Again(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if reload.Again("/dev/null") == nil {
		t.Error("/dev/null is no file")
	}
}
