package pcapfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// What is opened with nonsense, closed twice or used afterwards is an error of the kind
// that its comment names, and never a panic. What nobody has opened is as closed.
func TestMisuse(t *testing.T) {
	file := classic(binary.LittleEndian, 1, join(make([]byte, 12), []byte{8, 0}, ping4()))
	path := filepath.Join(t.TempDir(), "in.pcap")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	opened := func() *pcapfile.Device {
		d, err := pcapfile.Play(bytes.NewReader(file), nil, pcapfile.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	closed := func() *pcapfile.Device {
		d := opened()
		d.Close()
		return d
	}
	reader := func() *pcapfile.Reader {
		r, err := pcapfile.OpenReader(path, pcapfile.Select{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	event := engine.Event{Kind: engine.Failed, Packet: mustParse(t, ping4(), packet.IP), Time: time.Unix(1, 0)}
	attached := func(d *pcapfile.Device) error { _, err := d.Attach(engine.Env{}); return err }
	queue := func(d *pcapfile.Device) engine.Queue {
		qs, err := d.Attach(engine.Env{})
		if err != nil {
			t.Fatal(err)
		}
		return qs[0]
	}
	lost := func(n uint64) error {
		if n != 1 {
			return errors.New("it is not counted")
		}
		return nil
	}
	var pool packet.Pool
	for name, row := range map[string]struct {
		do   func() error
		want error // nil: no error
	}{
		"Open nothing":           {func() error { _, err := pcapfile.Open(pcapfile.Config{}); return err }, fs.ErrNotExist},
		"Open a folder":          {func() error { _, err := pcapfile.Open(pcapfile.Config{Path: t.TempDir()}); return err }, pcapfile.ErrFormat},
		"OpenReader of nothing":  {func() error { _, err := pcapfile.OpenReader("", pcapfile.Select{}); return err }, fs.ErrNotExist},
		"Create nowhere":         {func() error { _, err := pcapfile.Create("", ""); return err }, fs.ErrNotExist},
		"CreateFailures nowhere": {func() error { _, err := pcapfile.CreateFailures(""); return err }, fs.ErrNotExist},
		"Play nil":               {func() error { _, err := pcapfile.Play(nil, nil, pcapfile.Config{}); return err }, pcapfile.ErrFormat},
		"Play nothing":           {func() error { _, err := pcapfile.Play(new(bytes.Reader), nil, pcapfile.Config{}); return err }, pcapfile.ErrFormat},
		"Play with negatives": {func() error {
			_, err := pcapfile.Play(bytes.NewReader(file), nil, pcapfile.Config{MTU: -1, MaxGap: -1})
			return err
		}, nil},
		"Device.Close twice":  {func() error { d := opened(); return errors.Join(d.Close(), d.Close()) }, nil},
		"Attach a closed one": {func() error { return attached(closed()) }, engine.ErrClosed},
		"Attach twice":        {func() error { d := opened(); queue(d); return attached(d) }, engine.ErrInUse},
		"Detach of nobody's":  {func() error { d := opened(); d.Detach(); d.Detach(); return attached(d) }, nil},
		"a closed one's": {func() error {
			d := closed()
			d.Info()
			d.Start()
			d.Skipped()
			d.SetName("x")
			d.Detach()
			return nil
		}, nil},
		"a zero Device": {func() error { return attached(new(pcapfile.Device)) }, engine.ErrClosed},
		"a zero one's": {func() error {
			d := new(pcapfile.Device)
			d.Info()
			d.Start()
			d.Skipped()
			d.SetName("x")
			return nil
		}, nil},
		"Close of a zero":       {func() error { d := new(pcapfile.Device); d.Detach(); return errors.Join(d.Close(), d.Close()) }, nil},
		"nothing to read into":  {func() error { _, err := queue(opened()).Read(nil, nil); return err }, nil},
		"nothing to write":      {func() error { return queue(opened()).Write(nil, nil) }, nil},
		"a queue, closed twice": {func() error { q := queue(opened()); return errors.Join(q.Close(), q.Close()) }, nil},
		"a closed queue": {func() error {
			q := queue(opened())
			q.Close()
			_, err := q.Read(make([]*packet.Packet, 1), &pool)
			return err
		}, io.EOF},
		"a closed queue to write to": {func() error { q := queue(opened()); q.Close(); return q.Write([]*packet.Packet{event.Packet}, nil) }, nil},
		"Reader.Close twice":         {func() error { r := reader(); return errors.Join(r.Close(), r.Close()) }, nil},
		"Next of a closed one":       {func() error { r := reader(); r.Close(); r.Note(); _, err := r.Next(); return err }, os.ErrClosed},
		"Next of a zero":             {func() error { r := new(pcapfile.Reader); r.Note(); _, err := r.Next(); return err }, os.ErrClosed},
		"Reader.Close of a zero":     {func() error { return new(pcapfile.Reader).Close() }, nil},
		"a zero Record":              {func() error { pcapfile.Record{}.Comment(); return nil }, nil},
		"a zero Error":               {func() error { new(pcapfile.Error).Unwrap(); return nil }, nil},
		"Writer.Close twice": {func() error {
			w := pcapfile.NewWriter(io.Discard, pcapfile.NG, "")
			return errors.Join(w.Close(), w.Close())
		}, nil},
		"a closed Writer": {func() error {
			w := pcapfile.NewWriter(io.Discard, pcapfile.Classic, "")
			w.Close()
			w.Observe(&event)
			return lost(w.Lost())
		}, nil},
		"a zero Writer": {func() error {
			w := new(pcapfile.Writer)
			w.Observe(&event)
			return errors.Join(w.Close(), w.Close(), lost(w.Lost()))
		}, nil},
		"an event of nothing": {func() error {
			w := pcapfile.NewWriter(io.Discard, pcapfile.NG, "")
			w.Observe(new(engine.Event))
			return w.Close()
		}, nil},
		"a format that is none": {func() error { return pcapfile.NewWriter(io.Discard, 9, "").Close() }, nil},
		"Failures.Close twice": {func() error {
			f := pcapfile.NewFailures(io.Discard)
			return errors.Join(f.Close(), f.Close())
		}, nil},
		"closed Failures": {func() error {
			f := pcapfile.NewFailures(io.Discard)
			f.Close()
			f.Observe(&event)
			return lost(f.Lost())
		}, nil},
		"zero Failures": {func() error {
			f := new(pcapfile.Failures)
			f.Observe(&event)
			return errors.Join(f.Close(), f.Close(), lost(f.Lost()))
		}, nil},
	} {
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%s panics: %v", name, r)
				}
			}()
			if err := row.do(); !errors.Is(err, row.want) || row.want == nil && err != nil {
				t.Errorf("%s: %v, want %v", name, err, row.want)
			}
		}()
	}
	for name, c := range map[string]io.Closer{
		"NewWriter(nil)": pcapfile.NewWriter(nil, pcapfile.NG, ""), "NewFailures(nil)": pcapfile.NewFailures(nil),
	} {
		if err := c.Close(); err == nil {
			t.Errorf("%s: Close says nothing", name)
		}
	}
}

// Used and closed from many goroutines at once: nothing panics, and nothing hangs.
func TestAllAtOnce(t *testing.T) {
	file := classic(binary.LittleEndian, 101, ping4())
	d, err := pcapfile.Play(bytes.NewReader(file), nil, pcapfile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w, f := pcapfile.NewWriter(io.Discard, pcapfile.NG, ""), pcapfile.NewFailures(io.Discard)
	var all sync.WaitGroup
	for worker := range 8 {
		p := mustParse(t, ping4(), packet.IP)
		all.Go(func() {
			if qs, err := d.Attach(engine.Env{}); err == nil {
				qs[0].Read(make([]*packet.Packet, 1), new(packet.Pool))
				qs[0].Close()
			}
			d.Info()
			d.Close()
			for _, kind := range []engine.EventKind{engine.Received, engine.Failed, engine.Dropped} {
				w.Observe(&engine.Event{Kind: kind, Packet: p, Worker: worker})
				f.Observe(&engine.Event{Kind: kind, Packet: p, Worker: worker})
			}
			for _, c := range []io.Closer{w, f} {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
			w.Lost()
			f.Lost()
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it hangs")
	}
}
