package lab

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// terminal is the controlling terminal of this process. Nil is none.
type terminal struct {
	f     *os.File
	group int // our process group
	had   bool
}

func openTerminal() *terminal {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	t := &terminal{f: f, group: unix.Getpgrp()}
	t.had = t.foreground()
	return t
}

// foreground says whether what is typed goes to our process group.
func (t *terminal) foreground() bool {
	if t == nil {
		return false
	}
	g, err := unix.IoctlGetUint32(int(t.f.Fd()), unix.TIOCGPGRP)
	return err == nil && int(g) == t.group
}

// give makes another group the foreground. A shell in the lab has to lead the group
// that has the terminal: the one of the user's shell, which the rest of us are in, has
// no number in a process namespace that its leader is not in, and a shell that cannot
// name the group it came from ends with an error (dash does).
func (t *terminal) give(group int) {
	if t == nil {
		return
	}
	t.set(group)
	unix.Kill(-group, unix.SIGCONT) // it may have asked for the terminal before it had it
}

// takeBack makes our group the foreground again if it was at first.
func (t *terminal) takeBack() {
	if t != nil && t.had && !t.foreground() {
		t.set(t.group)
	}
}

func (t *terminal) set(group int) {
	signal.Ignore(syscall.SIGTTOU) // else setting it stops who does not have it
	unix.IoctlSetPointerInt(int(t.f.Fd()), unix.TIOCSPGRP, group)
	signal.Reset(syscall.SIGTTOU)
}

func (t *terminal) close() {
	if t != nil {
		t.f.Close()
	}
}
