package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// packets are those of a pcapng file, a line each.
func packets(t *testing.T, file []byte) (all []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.pcapng")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := pcapfile.OpenReader(path, pcapfile.Select{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Device)
	}
}

// A capture has the packets that match, as they came, with verdicts.
func TestCapture(t *testing.T) {
	r := newRig(t, echo)
	var file bytes.Buffer
	begun := make(chan struct{})
	w := writeFunc(func(b []byte) (int, error) {
		if file.Len() == 0 {
			close(begun) // the head of the file
		}
		return file.Write(b)
	})
	ended := make(chan error, 1)
	c := r.dial()
	go func() {
		end, err := c.Capture(context.Background(), w, "udp port 7", 2)
		if end.Lost > 0 {
			err = errors.New("packets are missing")
		}
		ended <- err
	}()
	<-begun
	for _, port := range []uint16{9, 7, 9, 7, 7} {
		r.udp(port)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(file.Bytes(), []byte("drop: seen (gate, gate.lua:3)")); n != 2 {
		t.Errorf("%d verdicts, want 2", n)
	}
	if got := packets(t, file.Bytes()); len(got) != 2 || got[0] != "tun0" {
		t.Errorf("packets %v", got)
	}
	if _, err := c.Stats(t.Context()); err != nil {
		t.Error(err)
	}
}

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(b []byte) (int, error) { return f(b) }
