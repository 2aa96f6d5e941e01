//go:build !linux

package engine

import "time"

// sleeper is a channel and a timer: elsewhere than on Linux no queue has a
// descriptor.
type sleeper struct {
	bell chan struct{}
}

func newWaiter(wish Wait, ready func(queue int)) (*waiter, error) {
	w := &waiter{busy: time.Now()} // without epoll there is no raw wait
	w.bell = make(chan struct{}, 1)
	return w, nil
}

func (s *sleeper) add(fd, queue int) error { return nil }
func (s *sleeper) remove(fd int)           {}
func (s *sleeper) looks() bool             { return false }
func (s *sleeper) look()                   {}

func (s *sleeper) block(timeout time.Duration, raw bool) {
	if timeout < 0 {
		<-s.bell
		return
	}
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case <-s.bell:
	case <-t.C:
	}
}

func (s *sleeper) interrupt() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

func (s *sleeper) close() {}
