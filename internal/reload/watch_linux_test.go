package reload

import (
	"os"
	"syscall"
	"testing"
)

// What is no file, as the pipe of a shell's <(...), is left to the one who reads it.
func TestWatchPipe(t *testing.T) {
	t.Parallel()
	d := loadDesk(t)
	pipe := d.path("pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("script"); err != nil {
		t.Fatal(err)
	}
	d.files.Add(0, pipe)
	d.watch(settle)
	d.over("b.lua", "b, changed")
	d.want("b")
	b := make([]byte, 10)
	if n, err := f.Read(b); err != nil || string(b[:n]) != "script" {
		t.Errorf("%q and %v are left of the script", b[:n], err)
	}
}
