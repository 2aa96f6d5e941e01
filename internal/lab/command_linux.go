package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// grace is how long a command may take to end after SIGTERM.
const grace = 2 * time.Second

// Process is a command that runs.
type Process struct {
	cmd    *exec.Cmd
	ended  chan struct{} // closed when status and err are set
	status int
	err    error
}

// Run starts the command and waits for it. It returns the exit status, 128 plus the
// signal if one killed it, and with an error 127 if the program was not found or 126
// if it cannot be run, as shells do. Signals that this process gets meanwhile go to
// the command, but for those in Keep, so do not catch them elsewhere, or ^C in a lab's
// shell ends the lab.
// When ctx ends, so does the command: SIGTERM, and SIGKILL two seconds later.
func (c Command) Run(ctx context.Context) (status int, err error) {
	t := openTerminal()
	defer t.close()
	fwd := forward(t, c.Keep...)
	defer fwd.stop()
	own := Inside() && strings.HasPrefix(os.Getenv(env), envTyped) && !c.Background && shell(c.args())
	p, err := c.start(own)
	if err != nil {
		return startStatus(err), err
	}
	if own {
		t.give(p.cmd.Process.Pid)
	}
	fwd.to(p.cmd.Process)
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.Stop()
	}
	return p.Wait()
}

// Start starts the command and does not wait for it. In a lab it ends with the lab at
// the latest.
func (c Command) Start() (*Process, error) { return c.start(c.Background) }

// start starts it in our process group or in one of its own.
func (c Command) start(own bool) (*Process, error) {
	args := c.args()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = c.environ(os.Environ())
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: own}
	if !c.Background {
		cmd.Stdin = os.Stdin
	}
	start := cmd.Start
	if c.Namespace != nil {
		// A process is born into the namespace of the thread that makes it.
		start = func() error { return c.Namespace.Do(cmd.Start) }
	}
	if err := start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("run %s: %w: check the spelling, install it, or give its path", args[0], err)
		}
		return nil, fmt.Errorf("run %s: %w", args[0], err)
	}
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.status, p.err = exitStatus(cmd.Wait())
	}()
	return p, nil
}

// Wait waits until the command has ended and returns its exit status, 128 plus the
// signal if one killed it. It may be called more than once.
func (p *Process) Wait() (status int, err error) {
	<-p.ended
	return p.status, p.err
}

// Stop ends the command: SIGTERM, and SIGKILL two seconds later. It returns when the
// command has ended.
func (p *Process) Stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(grace):
		p.cmd.Process.Kill()
		<-p.ended
	}
}

// startStatus is what a shell would put into $?.
func startStatus(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return 127
	}
	return 126
}
