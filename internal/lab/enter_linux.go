package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Enter takes the process into a lab. Outside it runs the program again, inside, with
// the same arguments, environment, directory and standard streams, passes signals on,
// and returns the child's exit status (128 plus the signal if one killed it) with
// inside false: the caller ends with it. In the child it sets the namespace up and
// returns with inside true: the caller goes on. Call it first, before anything is
// open or printed, as all of that happens twice.
//
// An error means that nothing ran; [ErrPrivilege] is in it if the kernel or the
// system's settings are the reason.
func Enter(o Options) (status int, inside bool, err error) {
	if Inside() {
		return report()
	}
	userns := o.Userns || os.Geteuid() != 0
	status, err = reexec(userns)
	if !userns && errors.Is(err, unix.EPERM) {
		// Root in a container is not root of the machine, but may do as a user does.
		status, err = reexec(true)
	}
	return status, false, err
}

// reexec runs this program again in new namespaces and waits for it.
func reexec(userns bool) (int, error) {
	// Pdeathsig is sent when the thread that made the child ends, not the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	r, w, err := os.Pipe()
	if err != nil {
		return 0, fmt.Errorf("lab: %w", err)
	}
	defer r.Close()
	t := openTerminal()
	defer t.close()
	state := envPlain
	if t.foreground() {
		state = envTyped
	}
	cmd := &exec.Cmd{
		Path:        "/proc/self/exe", // also right where os.Args[0] is relative, or the file is gone
		Args:        os.Args,
		Env:         append(os.Environ(), env+"="+state),
		Stdin:       os.Stdin,
		Stdout:      os.Stdout,
		Stderr:      os.Stderr,
		ExtraFiles:  []*os.File{w}, // descriptor 3 in the child
		SysProcAttr: attributes(userns),
	}
	cmd.SysProcAttr.Setpgid = t == nil
	fwd := forward(t)
	defer fwd.stop()
	err = cmd.Start()
	w.Close()
	if err != nil {
		return 0, diagnose(err, userns, os.DirFS("/proc/sys"))
	}
	fwd.to(cmd.Process)

	verdict, _ := io.ReadAll(r)
	status, err := exitStatus(cmd.Wait())
	t.takeBack()
	if err != nil {
		return 0, fmt.Errorf("lab: %w", err)
	}
	if len(verdict) == 0 {
		return 0, fmt.Errorf("lab: the process inside ended with status %d before it was ready", status)
	}
	return status, decodeReport(verdict)
}

func attributes(userns bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if userns {
		// One user and one group: all that a process without rights may map. Being
		// root in there keeps every capability across exec; nothing ambient is needed.
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		a.GidMappingsEnableSetgroups = false
	}
	return a
}

// message is what the child tells its parent. All of it empty: it is ready.
type message struct {
	What  string        `json:",omitempty"`
	Fix   string        `json:",omitempty"` // a PrivilegeError, if set
	Errno syscall.Errno `json:",omitempty"`
}

// report sets the namespace up and tells the parent, once, how that went. If it went
// wrong it is the parent that returns the error, and the child just ends.
func report() (status int, inside bool, err error) {
	state := os.Getenv(env)
	if strings.HasSuffix(state, envReady) {
		return 0, true, nil
	}
	os.Setenv(env, state+envReady)
	pipe := os.NewFile(3, "lab")
	defer pipe.Close()
	err = prepare()
	b, werr := json.Marshal(encodeReport(err))
	if werr == nil {
		_, werr = pipe.Write(b)
	}
	if werr != nil {
		return 1, false, fmt.Errorf("lab: report to the parent: %w", werr)
	}
	if err != nil {
		return 1, false, nil
	}
	return 0, true, nil
}

func encodeReport(err error) (m message) {
	if err == nil {
		return m
	}
	m.What = err.Error()
	if p, ok := errors.AsType[*PrivilegeError](err); ok {
		m.What, m.Fix = p.What, p.Fix
	}
	m.Errno, _ = errors.AsType[syscall.Errno](err)
	return m
}

func decodeReport(b []byte) error {
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("lab: report of the process inside: %w", err)
	}
	var cause error
	if m.Errno != 0 {
		cause = m.Errno
	}
	switch {
	case m.What == "":
		return nil
	case m.Fix != "":
		return &PrivilegeError{What: m.What, Fix: m.Fix, Err: cause}
	}
	return &setupError{m.What, cause}
}

// setupError is an error of the child as the parent sees it.
type setupError struct {
	text  string
	cause error
}

func (e *setupError) Error() string { return e.text }
func (e *setupError) Unwrap() error { return e.cause }

// exitStatus is what a shell would put into $?.
func exitStatus(err error) (int, error) {
	ee, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0, err
	}
	ws := ee.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return ws.ExitStatus(), nil
}
