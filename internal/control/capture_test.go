package control

import (
	"bytes"
	"context"
	"encoding/json"
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

// Who asks for a capture and does not read it loses packets, and nobody else does: the
// script sees all of them meanwhile. The last line says how many are missing.
func TestCaptureOfASlowReader(t *testing.T) {
	r := newRig(t, echo)
	slow := r.dial()
	b, err := encode(request{V: Version, Do: "capture"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := slow.c.Write(b); err != nil {
		t.Fatal(err)
	}
	if _, err := slow.answer(); err != nil { // the head of the file
		t.Fatal(err)
	}
	// More than two buffers of the observer and the socket's: 20 MB.
	const n, size = 20_000, 1000
	for i := range n {
		r.datagram(7, make([]byte, size))
		if i%500 == 499 { // a device in memory holds so many
			eventually(t, "the script keeps up", func() bool { return r.host.Engine.Stats().Reasons["seen"] == uint64(i+1) })
		}
	}
	slow.c.CloseWrite()
	got := 0
	for {
		a, err := slow.answer()
		if err != nil {
			t.Fatal(err)
		}
		if a.More {
			got += len(a.Result)
			continue
		}
		var end Captured
		if err := json.Unmarshal(a.Result, &end); err != nil {
			t.Fatal(err)
		}
		if end.Lost == 0 || end.Lost >= n || got == 0 {
			t.Errorf("%d of %d packets are missing, %d bytes came", end.Lost, n, got)
		}
		break
	}
}
