package engine

import (
	"slices"
	"time"
)

// maxRestarts is how often a program may be started anew within a minute.
const maxRestarts = 8

// Restart has the program started anew in this scope's place, before the next
// packet, timer or post: for one whose state is beyond repair. What the scope has
// registered ends, and what it knew is lost; OnStop is not called. A program that
// comes to this more than 8 times in a minute, or that does not start, stays as it
// is until it is exchanged.
func (s *Scope) Restart() {
	if s.attached && !s.closed && !slices.Contains(s.w.broken, s) {
		s.w.broken = append(s.w.broken, s)
		s.w.stale = true
	}
}

// restartBroken starts anew what Restart was called for.
func (w *worker) restartBroken() {
	w.seeOff()
	for len(w.broken) > 0 {
		s := w.broken[0]
		w.broken[0] = nil // the array outlives its entries
		w.broken = w.broken[1:]
		w.restart(s)
	}
}

func (w *worker) restart(old *Scope) {
	place := slices.Index(w.scopes, old)
	if place < 0 || old.closed {
		return
	}
	since, times := old.since, old.restarts+1
	if since.IsZero() || w.now.Sub(since) >= time.Minute {
		since, times = w.now, 1
	}
	if times > maxRestarts {
		w.e.log.Error("a program is broken again and again: it stays so until it is loaded anew", "program", old.Name(), "restarts", maxRestarts)
		return
	}
	in, err := w.prepare(old.config)
	if err != nil {
		w.report(old.Name(), "", err, nil)
		return
	}
	in.since, in.restarts = since, times
	w.e.log.Warn("a program is started anew: its state was broken, and what it knew is lost", "program", old.Name())
	old.onStop = nil
	w.forgetFlowValues(old)
	old.close()
	w.scopes[place] = in
	in.attach()
	in.start()
}
