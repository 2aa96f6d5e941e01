package engine

import (
	"testing"
	"time"
)

// A kernel without epoll_pwait2 (before 5.11) is waited on in milliseconds, rounded up,
// so that the worker does not spin; and a wake ends it all the same.
func TestWaitingOnAnOlderKernel(t *testing.T) {
	for _, wish := range []Wait{Polite, Prompt} {
		w, err := newWaiter(wish, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		w.coarse = true
		for _, d := range []time.Duration{0, 100 * time.Microsecond, 1500 * time.Microsecond} {
			due, rounds := time.Now().Add(d), 0
			for ; time.Now().Before(due); rounds++ { // a signal ends a wait, and the worker goes round
				w.wait(false, due)
			}
			if late := time.Since(due); late > 5*time.Second || rounds > 20 {
				t.Errorf("a wait of %v took %v more, and %d rounds", d, late, rounds)
			}
		}
		done := make(chan struct{})
		go func() {
			w.wait(false, time.Now().Add(time.Hour))
			close(done)
		}()
		w.wake()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("a wake does not end the wait")
		}
	}
}
