package engine

import (
	"testing"
	"time"
)

// A kernel without epoll_pwait2 (before 5.11) is waited on in milliseconds, rounded up:
// never too short, and a wake ends it all the same.
func TestWaitingOnAnOlderKernel(t *testing.T) {
	for _, wish := range []Wait{Polite, Prompt} {
		w, err := newWaiter(wish, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		w.coarse = true
		for _, d := range []time.Duration{0, 100 * time.Microsecond, 1500 * time.Microsecond} {
			begin := time.Now()
			w.wait(false, begin.Add(d))
			if took := time.Since(begin); took < d || took > d+5*time.Second {
				t.Errorf("a wait of %v took %v", d, took)
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
