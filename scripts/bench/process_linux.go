package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tunscript/tunscript/internal/lab"
)

// A process is one that was started, on some processors and in a namespace.
type process struct {
	cmd   *exec.Cmd
	out   output
	ended chan struct{}
	err   error // when it has ended
	birth time.Time
}

// output is what a process has said so far.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// launch starts argv on cpus; ns is nil for the bench's own namespace. A process
// inherits both from the thread that makes it.
func launch(argv []string, cpus unix.CPUSet, ns *lab.Namespace) (*process, error) {
	p := &process{cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.WaitDelay = time.Second
	begin := func() error {
		return onCPUs(cpus, func() error {
			p.birth = time.Now()
			return p.cmd.Start()
		})
	}
	var err error
	if ns != nil {
		err = ns.Do(begin)
	} else {
		err = begin()
	}
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// onCPUs runs fn on a thread that runs on these processors alone.
func onCPUs(cpus unix.CPUSet, fn func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	if err := unix.SchedSetaffinity(0, &cpus); err != nil {
		return err
	}
	defer unix.SchedSetaffinity(0, &before)
	return fn()
}

// alive returns what the process has said if it has ended.
func (p *process) alive() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended (%v): %s", p.cmd.Path, p.err, strings.TrimSpace(p.out.String()))
	default:
		return nil
	}
}

// stop ends it, at the latest by a SIGKILL after two seconds.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(2 * time.Second):
		p.cmd.Process.Kill()
		<-p.ended
	}
}

// A usage is what a process has used so far.
type usage struct {
	cpu    time.Duration // user and system, to the nanosecond
	user   int64         // hundredths of a second
	system int64
	rss    int64 // resident bytes
}

// userSince is the share of user time from before until u.
func (u usage) userSince(before usage) float64 {
	user, system := u.user-before.user, u.system-before.system
	return float64(user) / max(float64(user+system), 1)
}

// usage reads the process's own clock: /proc counts in hundredths of a second.
func (p *process) usage() (u usage, err error) {
	pid := p.cmd.Process.Pid
	const cpuclockSched = 2 // include/linux/posix-timers.h
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|cpuclockSched), &t); err != nil {
		return u, fmt.Errorf("CPU time of %s: %w", p.cmd.Path, err)
	}
	u.cpu = time.Duration(t.Nano())
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may hold anything
	f := strings.Fields(rest)
	if len(f) < 22 {
		return u, errors.New("/proc/PID/stat is short")
	}
	// proc(5) counts from 1 with the name, which is the second: these are 14, 15 and 24.
	for _, n := range []struct {
		field int
		to    *int64
	}{{14, &u.user}, {15, &u.system}, {24, &u.rss}} {
		if *n.to, err = strconv.ParseInt(f[n.field-3], 10, 64); err != nil {
			return u, fmt.Errorf("/proc/PID/stat: %w", err)
		}
	}
	u.rss *= int64(os.Getpagesize()) // it is in pages
	return u, nil
}
