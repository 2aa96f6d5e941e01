package engine

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Wait is how a worker sleeps.
type Wait uint8

const (
	// Polite sleeps in an ordinary system call, of which the Go runtime is told:
	// the thread's place is somebody else's meanwhile. A packet's round trip is
	// 1.4 to 2.7 times a C program's.
	Polite Wait = iota
	// Prompt sleeps without telling the runtime, for the round trip of a C
	// program, as long as the rest of the process keeps a place to run on. It is
	// a wish: with GOMAXPROCS 1, or after a second without a packet, it is polite.
	Prompt
)

// prompting counts the raw sleepers of the process. It is the one variable of
// the package, for GOMAXPROCS is the process's, too: were all its places held by
// raw sleepers, the collector could not stop the world, for as long as no packet
// comes.
var prompting atomic.Int32

const (
	// promptMost bounds one raw wait, and with it how long it can hold up a stop
	// of the world when threads are not preempted by signals.
	promptMost = 10 * time.Millisecond
	// promptIdle is how long after the last packet waits are raw.
	promptIdle = time.Second
)

// A waiter is the one place where a worker sleeps: until a descriptor is
// readable, somebody wakes it, or a time has come.
type waiter struct {
	wish     Wait
	busy     time.Time   // when there were packets last
	worked   bool        // since the last sleep: somebody may have been made runnable
	sleeping atomic.Bool // any goroutine: a wake must reach into the sleep
	woken    atomic.Bool // any goroutine: do not go to sleep
	sleeper
}

// wake ends the sleep, or the next one before it begins. Any goroutine may call it.
func (w *waiter) wake() {
	w.woken.Store(true)
	if w.sleeping.CompareAndSwap(true, false) {
		w.interrupt()
	}
}

// wait sleeps until there is something to do or due has come; a zero due never
// comes. With more it only looks.
func (w *waiter) wait(more bool, due time.Time) {
	if more {
		w.busy, w.worked = time.Now(), true
		if w.looks() {
			w.look()
		}
		w.woken.Store(false)
		return
	}
	w.sleeping.Store(true)
	if w.woken.Swap(false) {
		w.sleeping.Store(false)
		w.look()
		return
	}
	w.sleep(due)
	w.sleeping.Store(false)
	w.woken.Store(false)
}

// sleep chooses how to sleep.
func (w *waiter) sleep(due time.Time) {
	timeout := time.Duration(-1)
	if !due.IsZero() {
		timeout = max(0, time.Until(due))
	}
	if w.wish == Prompt && time.Since(w.busy) < promptIdle {
		if int(prompting.Add(1)) <= runtime.GOMAXPROCS(0)-1 {
			if w.worked {
				// What this goroutine made runnable sits in the queue of its P until
				// somebody steals it: let it run first, then look again. Not after
				// every wait: right behind one it holds up the collector.
				w.worked = false
				runtime.Gosched()
			}
			if !w.woken.Load() {
				if timeout < 0 || timeout > promptMost {
					timeout = promptMost
				}
				w.block(timeout, true)
			}
			prompting.Add(-1)
			return
		}
		prompting.Add(-1)
	}
	w.block(timeout, false)
}
