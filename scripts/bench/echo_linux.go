package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	window = 256 // datagrams in flight
	batch  = 64  // datagrams for one system call of the generator
	size   = 64  // bytes of payload
)

// echo keeps the window full for d and counts the answers. The generator never sleeps:
// a program that had to wake it for an answer would be measured with the scheduler.
func (w *world) echo(ctx context.Context, proc *process, d time.Duration) (s sample, err error) {
	g, err := newGenerator()
	if err != nil {
		return s, err
	}
	defer g.close()
	if _, err := g.first(ctx, proc, 10*time.Second); err != nil {
		return s, err
	}
	err = onCPUs(w.other, func() error {
		g.run(ctx, d/5) // caches, pools and the poller get warm
		before, err := proc.usage()
		if err != nil {
			return err
		}
		idle, err := runDelay()
		if err != nil {
			return err
		}
		answers, took := g.run(ctx, d)
		after, err := proc.usage()
		if err != nil {
			return err
		}
		late, err := runDelay()
		if err != nil {
			return err
		}
		if answers == 0 {
			return errors.New("no answer")
		}
		s = sample{
			value: float64(answers) / took.Seconds(),
			cpu:   (after.cpu - before.cpu).Seconds() / float64(answers),
			user:  after.userSince(before), rss: after.rss,
			disturbed: (late - idle).Seconds() / took.Seconds(),
		}
		return nil
	})
	return s, err
}

// runDelay is how long this thread has waited for its processor. The generator never
// sleeps and shares its processor with nobody of ours: what it waits, others have taken.
func runDelay() (time.Duration, error) {
	var running, waiting, slices int64
	b, err := os.ReadFile("/proc/thread-self/schedstat")
	if err == nil {
		_, err = fmt.Sscan(string(b), &running, &waiting, &slices)
	}
	if err != nil {
		return 0, fmt.Errorf("who else uses the processors: %w", err)
	}
	return time.Duration(waiting), nil
}

// first measures how long after its start a program answers. The device's address is
// ours to set, some 0.2 ms of it.
func (w *world) first(ctx context.Context, proc *process) (s sample, err error) {
	g, err := newGenerator()
	if err != nil {
		return s, err
	}
	defer g.close()
	at, err := g.first(ctx, proc, 10*time.Second)
	if err != nil {
		return s, err
	}
	u, err := proc.usage()
	return sample{value: at.Sub(proc.birth).Seconds(), rss: u.rss}, err
}

// A generator sends datagrams to port 7 of 192.0.2.2 and takes the answers. x/sys has
// no wrapper for sendmmsg(2): it is called bare, for one call a packet would cost as much
// as what is measured.
type generator struct {
	fd       int
	out, in  [batch]mmsghdr
	outv     unix.Iovec
	inv      [batch]unix.Iovec
	payload  [size]byte
	received [batch][size]byte
}

// mmsghdr is struct mmsghdr of sendmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	_   uint32 // msg_len, which nobody here asks for
	_   [4]byte
}

func newGenerator() (*generator, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	g := &generator{fd: fd}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20) // a window fits without, just
	err = unix.Bind(fd, &unix.SockaddrInet4{Addr: hostAddr.Addr().As4()})
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: peerAddr.Addr().As4(), Port: 7})
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("generator: %w", err)
	}
	g.outv.Base = &g.payload[0]
	g.outv.SetLen(size)
	for i := range batch {
		g.out[i].hdr.Iov = &g.outv
		g.out[i].hdr.SetIovlen(1)
		g.inv[i].Base = &g.received[i][0]
		g.inv[i].SetLen(size)
		g.in[i].hdr.Iov = &g.inv[i]
		g.in[i].hdr.SetIovlen(1)
	}
	return g, nil
}

func (g *generator) close() { unix.Close(g.fd) }

// first sends a datagram a millisecond until there is an answer.
func (g *generator) first(ctx context.Context, proc *process, limit time.Duration) (time.Time, error) {
	for end := time.Now().Add(limit); ctx.Err() == nil && time.Now().Before(end); {
		if err := proc.alive(); err != nil {
			return time.Time{}, err
		}
		g.send(1)
		poll := []unix.PollFd{{Fd: int32(g.fd), Events: unix.POLLIN}}
		if n, _ := unix.Poll(poll, 1); n > 0 && g.receive() > 0 {
			return time.Now(), nil
		}
	}
	return time.Time{}, errors.New("no answer")
}

// run keeps the window full. What is lost would empty it: after 20 ms without an answer
// it is filled anew.
func (g *generator) run(ctx context.Context, d time.Duration) (answers int, took time.Duration) {
	const patience = 20 * time.Millisecond
	for g.receive() > 0 { // left from before
	}
	begin := time.Now()
	heard, flying := begin, 0
	for now := begin; now.Sub(begin) < d && ctx.Err() == nil; now = time.Now() {
		if n := g.receive(); n > 0 {
			answers += n
			flying = max(flying-n, 0)
			heard = now
		} else if now.Sub(heard) > patience {
			flying, heard = 0, now
		}
		for flying < window {
			n := g.send(min(window-flying, batch))
			if n <= 0 {
				break
			}
			flying += n
		}
	}
	return answers, time.Since(begin)
}

func (g *generator) send(n int) int { return g.call(unix.SYS_SENDMMSG, &g.out, n) }
func (g *generator) receive() int   { return g.call(unix.SYS_RECVMMSG, &g.in, batch) }

// call never waits, so the runtime need not know of it.
func (g *generator) call(nr uintptr, m *[batch]mmsghdr, n int) int {
	r, _, errno := unix.RawSyscall6(nr, uintptr(g.fd), uintptr(unsafe.Pointer(m)), uintptr(n), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(r)
}
