package engine_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// Every packet of many is answered exactly once and in order while the program
// is exchanged every millisecond, and the counts agree.
func TestExactlyOnceWhileSwapping(t *testing.T) {
	n := 200_000
	if testing.Short() {
		n = 20_000
	}
	answer := func() engine.Program {
		return on(func(_ *engine.Scope, p *packet.Packet) engine.Verdict { return engine.Replace(p.Reply()) })
	}
	current := answer()
	dev := newMemory("tun0")
	eng := made(t, engine.Config{Wait: engine.Prompt, Programs: []engine.ProgramConfig{{Program: current}}}, "", dev)
	wait := ran(t, eng)
	ended := make(chan struct{})
	swaps := 0
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
			}
			next := answer()
			if err := eng.Swap(current, next); err != nil {
				t.Error(err)
				return
			}
			current = next
			swaps++
		}
	})
	for i := range n {
		dev.give(text(t, strconv.Itoa(i)))
	}
	deadline := time.Now().Add(10 * time.Second)
	for eng.Stats().Devices["tun0"].Sent < uint64(n) && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	close(ended)
	wg.Wait()
	eng.Close()
	if err := wait(); err != nil {
		t.Error(err)
	}
	got := dev.got()
	if len(got) != n {
		t.Fatalf("%d answers to %d packets", len(got), n)
	}
	for i, s := range got {
		if s != strconv.Itoa(i) {
			t.Fatalf("answer %d is to %q", i, s)
		}
	}
	s := eng.Stats()
	if d := s.Devices["tun0"]; d.Received != uint64(n) || d.Sent != uint64(n) || d.Lost != 0 || s.Verdicts["replace"] != uint64(n) {
		t.Errorf("counted %+v, verdicts %v, want %d of each", d, s.Verdicts, n)
	}
	if swaps == 0 {
		t.Error("nothing was exchanged")
	}
	t.Logf("%d packets, %d exchanges", n, swaps)
}
