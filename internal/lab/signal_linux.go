package lab

import (
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
)

// forwarder passes the signals that this process gets on to a child.
type forwarder struct {
	ch   chan os.Signal
	wg   sync.WaitGroup
	term *terminal
}

// forward begins to catch signals, but for those to keep, so that none ends this process
// before it has a child to pass them to. What was ignored from the start (nohup, a shell's "&") stays
// ignored, here and, by inheritance, in the child.
func forward(t *terminal, keep ...os.Signal) *forwarder {
	f := &forwarder{ch: make(chan os.Signal, 16), term: t}
	all := []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP,
		syscall.SIGUSR1, syscall.SIGUSR2}
	all = slices.DeleteFunc(all, func(s os.Signal) bool { return signal.Ignored(s) || slices.Contains(keep, s) })
	if len(all) > 0 {
		signal.Notify(f.ch, all...)
	}
	return f
}

// to starts passing them on, the early ones first.
func (f *forwarder) to(p *os.Process) {
	f.wg.Go(func() {
		for s := range f.ch {
			// A key on the terminal goes to its whole foreground group, to the child
			// as to us: it must not count twice.
			key := s == syscall.SIGINT || s == syscall.SIGQUIT
			if key && f.term.foreground() {
				continue
			}
			p.Signal(s)
		}
	})
}

// stop restores what signals do, and returns when no more are passed on.
func (f *forwarder) stop() {
	signal.Stop(f.ch)
	close(f.ch)
	f.wg.Wait()
}
