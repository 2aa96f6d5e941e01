package engine

import (
	"fmt"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sleeper is epoll over the queues' descriptors and an eventfd.
type sleeper struct {
	epoll, event int
	fds, queues  int // watched: with a descriptor, and all
	ready        func(queue int)
	events       [64]unix.EpollEvent
	timeout      [2]int64 // struct __kernel_timespec, 64 bits everywhere; here, as what the kernel reads must not move
	coarse       bool     // the kernel has no epoll_pwait2 (before 5.11): timeouts are whole milliseconds

	ending sync.Mutex // any goroutine: the descriptor's number may soon be another's
	ended  bool
}

const eventQueue = -1 // what epoll says of the eventfd

func newWaiter(wish Wait, ready func(queue int)) (*waiter, error) {
	w := &waiter{wish: wish, busy: time.Now()}
	w.ready = ready
	var err error
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll_create1: %w: raise the limit of open files (ulimit -n)", err)
	}
	if w.event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		unix.Close(w.epoll)
		return nil, fmt.Errorf("eventfd: %w: raise the limit of open files (ulimit -n)", err)
	}
	if err := w.add(w.event, eventQueue); err != nil {
		w.close()
		return nil, err
	}
	w.fds, w.queues = 0, 0
	return w, nil
}

// add has the descriptor of a queue watched.
func (s *sleeper) add(fd, queue int) error {
	s.queues++
	if fd < 0 {
		return nil
	}
	s.fds++
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(queue)}
	if err := unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

// remove ends it: at once when the descriptor fails, as epoll would name it for
// ever.
func (s *sleeper) remove(fd int) {
	s.queues--
	if fd >= 0 {
		s.fds--
		unix.EpollCtl(s.epoll, unix.EPOLL_CTL_DEL, fd, nil)
	}
}

// looks reports that a look finds what no wake tells: with one queue, the one that
// is being read, there is nothing else to find.
func (s *sleeper) looks() bool { return s.fds > 0 && s.queues > 1 }

// look names the queues that are ready now.
func (s *sleeper) look() { s.block(0, true) }

// block waits for up to timeout, for ever if it is negative. Raw keeps the
// runtime from knowing.
func (s *sleeper) block(timeout time.Duration, raw bool) {
	n, errno := s.epollWait(timeout, raw)
	if errno != 0 { // EINTR goes round the worker's loop
		return
	}
	for _, ev := range s.events[:n] {
		if ev.Fd != eventQueue {
			s.ready(int(ev.Fd))
			continue
		}
		var b [8]byte
		unix.Read(s.event, b[:])
	}
}

func (s *sleeper) epollWait(timeout time.Duration, raw bool) (int, syscall.Errno) {
	call := syscall.Syscall6
	if raw {
		call = func(nr, a, b, c, d, e, f uintptr) (uintptr, uintptr, syscall.Errno) {
			return syscall.RawSyscall6(nr, a, b, c, d, e, f)
		}
	}
	events, room := uintptr(unsafe.Pointer(&s.events[0])), uintptr(len(s.events))
	if timeout > 0 && !s.coarse {
		s.timeout = [2]int64{int64(timeout / time.Second), int64(timeout % time.Second)}
		n, _, errno := call(unix.SYS_EPOLL_PWAIT2, uintptr(s.epoll), events, room, uintptr(unsafe.Pointer(&s.timeout)), 0, 0)
		if errno != unix.ENOSYS {
			return int(n), errno
		}
		s.coarse = true
	}
	ms := -1
	if timeout >= 0 {
		ms = int((timeout + time.Millisecond - 1) / time.Millisecond)
	}
	n, _, errno := call(unix.SYS_EPOLL_PWAIT, uintptr(s.epoll), events, room, uintptr(ms), 0, 0)
	return int(n), errno
}

// interrupt ends block. Any goroutine may call it.
func (s *sleeper) interrupt() {
	s.ending.Lock()
	defer s.ending.Unlock()
	if !s.ended {
		one := [8]byte{1}
		unix.Write(s.event, one[:])
	}
}

func (s *sleeper) close() {
	s.ending.Lock()
	defer s.ending.Unlock()
	s.ended = true
	unix.Close(s.event)
	unix.Close(s.epoll)
}
