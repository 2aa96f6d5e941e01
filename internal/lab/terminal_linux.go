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

// takeBack makes our group the foreground again if it was: a shell that ran in a
// process namespace of its own cannot name the group it would give the terminal back to.
func (t *terminal) takeBack() {
	if t == nil || !t.had || t.foreground() {
		return
	}
	signal.Ignore(syscall.SIGTTOU) // else asking for the terminal stops who has not got it
	unix.IoctlSetPointerInt(int(t.f.Fd()), unix.TIOCSPGRP, t.group)
	signal.Reset(syscall.SIGTTOU)
}

func (t *terminal) close() {
	if t != nil {
		t.f.Close()
	}
}
