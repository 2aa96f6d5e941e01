package tundev_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// What is opened with nonsense, closed twice or used afterwards is an error of the kind
// that its comment names, and never a panic.
func TestMisuse(t *testing.T) {
	pipe := func() (*tundev.Device, *tundev.Wire) { return tundev.Pipe(tundev.Config{}) }
	closed := func() (*tundev.Device, *tundev.Wire) {
		d, w := pipe()
		d.Close()
		return d, w
	}
	attached := func(d *tundev.Device) (engine.Queue, error) {
		qs, err := d.Attach(engine.Env{})
		if err != nil {
			return nil, err
		}
		return qs[0], nil
	}
	for name, row := range map[string]struct {
		do   func() error
		want error // nil: no error
	}{
		"Close twice":         {func() error { d, _ := pipe(); return errors.Join(d.Close(), d.Close()) }, nil},
		"Wire.Close twice":    {func() error { _, w := pipe(); return errors.Join(w.Close(), w.Close()) }, nil},
		"Attach a closed one": {func() error { d, _ := closed(); _, err := attached(d); return err }, engine.ErrClosed},
		"Attach twice": {func() error {
			d, _ := pipe()
			attached(d)
			_, err := attached(d)
			return err
		}, engine.ErrInUse},
		"Detach of nobody":    {func() error { d, _ := pipe(); d.Detach(); d.Detach(); return nil }, nil},
		"Reopen of nobody's":  {func() error { d, _ := pipe(); _, err := d.Reopen(t.Context()); return err }, engine.ErrClosed},
		"Reopen a closed one": {func() error { d, _ := closed(); _, err := d.Reopen(t.Context()); return err }, engine.ErrClosed},
		"Info of a closed one": {func() error {
			if d, _ := closed(); d.Info().Name != "tun0" {
				return errors.New("it has lost its name")
			}
			return nil
		}, nil},
		"Read nothing":          {func() error { _, w := pipe(); _, err := w.Read(nil); return err }, tundev.ErrEmpty},
		"Read of a closed one":  {func() error { _, w := closed(); _, err := w.Read(make([]byte, 9)); return err }, io.EOF},
		"Write to a closed one": {func() error { _, w := closed(); _, err := w.Write([]byte{0x45}); return err }, io.ErrClosedPipe},
		"Lose a closed one":     {func() error { _, w := closed(); w.Lose(); w.Restore(); w.Restore(); return nil }, nil},
		"SetMTU of nonsense":    {func() error { _, w := pipe(); return w.SetMTU(-1) }, tundev.ErrBadConfig},
		"a Pipe of nonsense": {func() error {
			tundev.Pipe(tundev.Config{Kind: "nonsense", MTU: -1, TxQueueLen: -1, Queues: -1})
			return nil
		}, nil},
		"a closed queue": {func() error {
			d, _ := pipe()
			q, err := attached(d)
			if err != nil {
				return err
			}
			q.Close()
			q.Close()
			_, err = q.Read(make([]*packet.Packet, 1), new(packet.Pool))
			return err
		}, io.EOF},
		"nothing to read into": {func() error { d, _ := pipe(); q, _ := attached(d); _, err := q.Read(nil, nil); return err }, nil},
		"nothing to write":     {func() error { d, _ := pipe(); q, _ := attached(d); return q.Write(nil, nil) }, nil},
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
	for _, c := range []tundev.Config{
		{Kind: "nonsense"}, {MTU: 1}, {MTU: 1 << 20}, {TxQueueLen: -1}, {Queues: -1}, {Queues: 1 << 20}, {Offload: "no"}, {Name: "a/b"},
		{Name: strings.Repeat("x", 16)}, {Persist: true}, {Kind: tundev.TUN, MAC: packet.MAC{2}}, {Kind: tundev.TAP, MAC: packet.MAC{1}},
	} {
		if _, err := tundev.Open(c); err == nil {
			t.Errorf("Open(%+v): no error", c)
		}
	}
	if _, err := tundev.FromFD(-1, tundev.Config{}); err == nil {
		t.Error("FromFD(-1): no error")
	}
	d, w := pipe() // all at once
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			d.Attach(engine.Env{})
			d.Info()
			w.Write([]byte{0x45})
			w.Lose()
			w.SetMTU(1400)
			w.Restore()
			w.Device()
			d.Detach()
			w.Pending()
			d.Close()
			w.Close()
		})
	}
	all.Wait()
}
