package hold_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/tundev/internal/hold"
)

// Whoever has the device last releases it, once.
func TestWhoReleases(t *testing.T) {
	for _, c := range []struct {
		name            string
		steps           string // a: Attach, d: Detach, c: Close, r: the worker releases
		released, woken int
	}{
		{"its owner, never attached", "c", 1, 0},
		{"its owner, twice", "cc", 1, 0},
		{"its owner, after an engine that could not be made", "adc", 1, 0},
		{"the worker, woken", "ac", 0, 1},
		{"the worker, woken once", "acc", 0, 1},
		{"the worker, of itself", "arc", 0, 0},
		{"nobody else: closed while the engine was made", "acd", 1, 1},
	} {
		var h hold.Hold
		released, woken := 0, 0
		release := func() error { released++; return nil }
		for _, s := range c.steps {
			switch s {
			case 'a':
				if err := h.Attach(engine.Env{Wake: func(int) { woken++ }}); err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
			case 'd':
				h.Detach(release)
			case 'c':
				h.Close(release)
			case 'r':
				h.Release()
			}
		}
		if released != c.released || woken != c.woken || h.Closed() != true {
			t.Errorf("%s: released %d times, woken %d, want %d and %d", c.name, released, woken, c.released, c.woken)
		}
	}
}

func TestOneOfManyGetsIt(t *testing.T) {
	var h hold.Hold
	var got, closed atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if h.Attach(engine.Env{}) == nil {
				got.Add(1)
			}
		})
	}
	wg.Wait()
	h.Detach(nil)
	for range 8 {
		wg.Go(func() { h.Close(func() error { closed.Add(1); return nil }) })
	}
	wg.Wait()
	if got.Load() != 1 || closed.Load() != 1 {
		t.Errorf("%d got it and %d released it, want one each", got.Load(), closed.Load())
	}
	if err := h.Attach(engine.Env{}); err != engine.ErrClosed {
		t.Errorf("Attach after Close: %v", err)
	}
}
