package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/reload"
)

// programs are the programs of their configurations.
func programs(all []engine.ProgramConfig) []engine.Program {
	ps := make([]engine.Program, len(all))
	for i, pc := range all {
		ps[i] = pc.Program
	}
	return ps
}

// reloadOnHangup reloads the scripts at every SIGHUP once they have started, until
// the session ends. The function that it returns waits for that.
func (s *session) reloadOnHangup(scripts *reload.Scripts, w io.Writer) (wait func()) {
	hup := make(chan os.Signal, 1) // several at once are one
	signal.Notify(hup, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer signal.Stop(hup)
		select {
		case <-s.ready:
		case <-s.ctx.Done():
			return
		}
		for {
			select {
			case <-s.ctx.Done():
				return
			case <-hup:
				names, err := scripts.All()
				for _, name := range names {
					s.log.Info("reloaded", "script", name)
				}
				if err != nil {
					show(w, err)
					s.log.Warn("not reloaded: what ran before goes on")
				}
			}
		}
	}()
	return func() { s.stop(); <-done }
}
