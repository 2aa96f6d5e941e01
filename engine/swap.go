package engine

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
)

// Swap exchanges the program old for new between two packets: new starts beside
// old, on the calling goroutine, and if it does not start, nothing has happened
// and its error is returned. A nil old adds new at the end of the order, a nil
// new removes old. Before the first Run or Advance it only changes what will
// start. On a worker it is ErrOnWorker. Swaps called at the same time follow one
// another.
func (e *Engine) Swap(old, new Program) error {
	if err := e.take(); err != nil {
		return err
	}
	defer e.release()
	place, pc, err := e.swapPlace(old, new)
	if err != nil {
		return err
	}
	e.mu.Lock()
	state := e.state
	e.mu.Unlock()
	switch state {
	case stopped:
		return ErrStopped
	case made:
		e.exchangeConfig(place, pc)
		return nil
	}

	in := make([]*Scope, len(e.workers))
	if new != nil {
		if in, err = e.prepareAll(pc); err != nil {
			return err
		}
	}
	if state == stepped { // nobody steps now: who has the turn is the worker
		e.exchangeConfig(place, pc)
		e.workers[0].exchange(place, in[0])
		return nil
	}
	if err := e.exchangeAll(place, in); err != nil {
		return err
	}
	e.exchangeConfig(place, pc)
	return nil
}

// exchangeAll has every worker exchange, and waits for them. If the run has ended for one
// of them it has for all: ErrStopped, and what did not take part is taken back.
func (e *Engine) exchangeAll(place int, in []*Scope) error {
	done := make(chan bool, len(e.workers))
	for i, w := range e.workers {
		sent := w.mail.send(func() {
			late := w.ended
			switch {
			case !late:
				w.exchange(place, in[i])
			case in[i] != nil:
				in[i].close()
			}
			done <- !late
		}, w.wake)
		if !sent {
			if in[i] != nil {
				in[i].close()
			}
			done <- false
		}
	}
	all := true
	for range e.workers {
		all = <-done && all
	}
	if !all {
		return ErrStopped
	}
	return nil
}

// Add brings a program in at the end of the order: Swap(nil, p).
func (e *Engine) Add(p Program) error { return e.Swap(nil, p) }

// Remove takes a program out: Swap(p, nil).
func (e *Engine) Remove(p Program) error { return e.Swap(p, nil) }

// swapPlace finds old, and makes new's configuration: that of old, or of a
// program on all devices.
func (e *Engine) swapPlace(old, new Program) (place int, pc ProgramConfig, err error) {
	if old == nil && new == nil {
		return 0, pc, &ConfigError{"program", errors.New("both are nil: name the one that goes, the one that comes, or both")}
	}
	for _, p := range []Program{old, new} {
		if p == nil {
			continue
		}
		if err := identity(p); err != nil {
			return 0, pc, err
		}
	}
	place = len(e.programs)
	if old != nil {
		place = slices.IndexFunc(e.programs, func(pc ProgramConfig) bool { return pc.Program == old })
		if place < 0 {
			return 0, pc, &ConfigError{"program " + old.Name(), fmt.Errorf("the engine does not have it")}
		}
		pc = e.programs[place]
	}
	pc.Program = new
	if new == nil {
		return place, pc, nil
	}
	if new != old && slices.ContainsFunc(e.programs, func(pc ProgramConfig) bool { return pc.Program == new }) {
		return 0, pc, &ConfigError{"program " + new.Name(), fmt.Errorf("it stands there already: load it twice to run it twice")}
	}
	return place, pc, pc.check(e.devices, nil)
}

func (e *Engine) exchangeConfig(place int, pc ProgramConfig) {
	switch {
	case pc.Program == nil:
		if place < len(e.programs) {
			e.programs = slices.Delete(e.programs, place, place+1)
		}
	case place == len(e.programs):
		e.programs = append(e.programs, pc)
	default:
		e.programs[place] = pc
	}
}

// exchange is the part that happens on the worker, between two packets. It
// cannot fail.
func (w *worker) exchange(place int, in *Scope) {
	w.refresh()
	var left any
	reload := false
	switch {
	case in == nil:
		if place < len(w.scopes) {
			w.forgetFlows(w.scopes[place])
			w.scopes[place].close()
			w.scopes = slices.Delete(slices.Clone(w.scopes), place, place+1)
		}
	case place == len(w.scopes):
		w.scopes = append(w.scopes, in)
	default:
		left, reload = w.scopes[place].close(), true
		w.scopes[place] = in
	}
	if in != nil {
		in.attach()
		if reload && in.onReload != nil {
			w.last = in
			in.onReload(left)
		}
		in.start()
	}
	w.stale = true
}

// onWorker reports that the caller runs on a worker's goroutine, or on the one
// that has the turn. Go has no number of a goroutine to ask for but in the text
// of a stack, 2 us away; no packet's way leads here.
func (e *Engine) onWorker() bool {
	id := goroutineID()
	return id == e.holder.Load() || slices.ContainsFunc(e.workers, func(w *worker) bool { return id == w.goroutine.Load() })
}

func goroutineID() uint64 {
	var b [64]byte
	text := b[:runtime.Stack(b[:], false)] // "goroutine 7 [running]:..."
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	id, _ := strconv.ParseUint(string(fields[1]), 10, 64)
	return id
}
