package vm

import (
	"fmt"
	"sync"
	"testing"
)

// TestSharedChunk runs one chunk in many states at once, as workers do.
func TestSharedChunk(t *testing.T) {
	c, err := Compile("shared.lua", `local n = 0
return function(i) local ok, e = pcall(error, "x" .. i) n = n + i local t = {i, k = e} return n .. t.k .. #t end`, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			s := newState(t, Options{})
			defer s.Close()
			r, err := s.Run(c)
			if err != nil {
				t.Error(err)
				return
			}
			s.l.SetGlobal("f", r[0])
			for i := range 100 {
				r, err := s.Call(s.global("f"), smallInts[i])
				if want := fmt.Sprintf("%dx%d1", i*(i+1)/2, i); err != nil || r[0].String() != want {
					t.Errorf("worker %d: %v, %v, want %s", w, r, err, want)
				}
			}
		})
	}
	wg.Wait()
}
