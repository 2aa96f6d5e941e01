package lab_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// counting is a shell script that says "INT" or the like for every signal that
// reaches it, and ends on TERM.
const counting = `
	trap 'echo INT' INT; trap 'echo USR1' USR1; trap 'echo HUP' HUP; trap 'echo TERM; exit 9' TERM
	echo up; while :; do sleep 0.05; done`

// Without a terminal every signal reaches the command once, whether it was meant for
// the process or for its group.
func TestSignalsArePassedOnOnce(t *testing.T) {
	for _, kind := range kinds {
		for _, group := range []bool{false, true} {
			cmd := inLab(t, kind, counting)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal, its own group
			out := &transcript{}
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			out.wait(t, "up")
			to := cmd.Process.Pid
			if group {
				to = -to
			}
			for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGTERM} {
				syscall.Kill(to, s)
				out.wait(t, strings.TrimPrefix(unix.SignalName(s), "SIG"))
			}
			cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != 9 {
				t.Errorf("%s: status %d, want 9", kind, got)
			}
			if got := out.String(); got != "up\nINT\nUSR1\nHUP\nTERM\n" {
				t.Errorf("%s, group %v: the command saw %q", kind, group, got)
			}
		}
	}
}

// The terminal sends ^C to all of its foreground group: the command must see it once.
func TestControlCCountsOnce(t *testing.T) {
	for _, kind := range kinds {
		tty := newTerminal(t)
		cmd := tty.start(t, inLab(t, kind, counting))
		tty.wait(t, "up")
		tty.typed("\x03")
		tty.wait(t, "INT")
		time.Sleep(100 * time.Millisecond) // for a second one to come
		signalTo(t, cmd, syscall.SIGTERM)
		tty.wait(t, "TERM")
		cmd.Wait()
		if n := strings.Count(tty.String(), "INT"); n != 1 {
			t.Errorf("%s: ^C was seen %d times", kind, n)
		}
	}
}

// ^Z stops the job as the user's shell sees it, and fg goes on with it.
func TestControlZStopsTheJob(t *testing.T) {
	tty := newTerminal(t)
	job := inLab(t, "userns", "")
	job.Path, job.Args = "/bin/sh", []string{"sh", "-m", "-c", `
		"$LAB" sh -c 'echo up; read a; echo "went on with $a"'
		echo "stopped $?"
		fg >/dev/null
		echo "ended $?"`}
	cmd := tty.start(t, job)
	tty.wait(t, "up")
	tty.typed("\x1a")
	tty.wait(t, fmt.Sprintf("stopped %d", 128+int(unix.SIGTSTP)))
	tty.typed("word\n")
	tty.wait(t, "went on with word")
	tty.wait(t, "ended 0")
	cmd.Wait()
}

// An interactive shell takes the terminal for its own jobs, and gives it back.
func TestAnInteractiveShell(t *testing.T) {
	for _, shell := range []string{"/bin/sh", "/bin/bash"} {
		if _, err := os.Stat(shell); err != nil {
			continue
		}
		for _, kind := range kinds {
			tty := newTerminal(t)
			job := inLab(t, kind, "")
			job.Env = append(job.Env, "SHELL="+shell, "ENV=", "HISTFILE=")
			job.Path, job.Args = "/bin/sh", []string{"sh", "-c", `"$LAB"; echo "status $?"; read a; echo "read $a"`}
			cmd := tty.start(t, job)
			tty.typed("echo up-$((1+1)); sleep 100\n")
			tty.wait(t, "up-2")
			time.Sleep(100 * time.Millisecond)
			tty.typed("\x03") // ends sleep, not the shell and not the lab
			time.Sleep(100 * time.Millisecond)
			tty.typed("echo $((6*7))\n")
			tty.wait(t, "42")
			tty.typed("exit 5\n")
			tty.wait(t, "status 5")
			tty.typed("again\n")
			tty.wait(t, "read again")
			cmd.Wait()
			for _, bad := range []string{"job control turned off", "no job control", "Cannot set", "cannot set"} {
				if strings.Contains(tty.String(), bad) {
					t.Errorf("%s %s: the shell complains:\n%s", kind, shell, tty.String())
				}
			}
		}
	}
}

// transcript collects what a process says while it runs.
type transcript struct {
	mu sync.Mutex
	b  strings.Builder
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (o *transcript) wait(t *testing.T, word string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !strings.Contains(o.String(), word); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %q; seen so far:\n%s", word, o.String())
		}
	}
}

// pty is a terminal with the test at the keyboard.
type pty struct {
	transcript
	master, slave *os.File
}

func newTerminal(t *testing.T) *pty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	p := &pty{master: master, slave: slave}
	t.Cleanup(func() { slave.Close() })
	go func() {
		b := make([]byte, 1024)
		for {
			n, err := master.Read(b)
			if err != nil {
				return
			}
			p.Write(b[:n])
		}
	}()
	return p
}

// start runs cmd in a session of its own on the terminal.
func (p *pty) start(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.slave, p.slave, p.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

func (p *pty) typed(s string) { p.master.WriteString(s) }
