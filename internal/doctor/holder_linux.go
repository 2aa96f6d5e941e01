package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tunscript/tunscript/tundev/host"
)

// checkHolder: another program has the device open, or the one that should read it is
// stopped. Of devices that nobody asked about others may well be the users.
func checkHolder(v *view) ([]Finding, error) {
	var found []Finding
	for _, h := range v.holders {
		switch {
		case h.Stopped:
			found = append(found, v.finding("stopped",
				fmt.Sprintf("%s (pid %d) has it open and is stopped, so nobody reads it", h.Command, h.PID),
				signal(h, syscall.SIGCONT), fmt.Sprintf("kill -CONT %d", h.PID)))
		case v.q.Device != "" && !ours(h):
			what := "one program at a time may read it, and now that is"
			if v.link.MultiQueue {
				what = "some of its packets go to another program,"
			}
			found = append(found, v.finding("held", fmt.Sprintf("%s %s (pid %d)", what, h.Command, h.PID),
				end(h, v.name), fmt.Sprintf("kill %d", h.PID)))
		}
	}
	return found, nil
}

// ours reports a process of this program, whatever its file is called.
func ours(h host.Holder) bool {
	exe, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(h.PID), "exe"))
	self, _ := os.Executable()
	return h.Command == "tunscript" || err == nil && strings.TrimSuffix(exe, " (deleted)") == self
}

func signal(h host.Holder, s syscall.Signal) func(*host.Handle) error {
	return func(*host.Handle) error {
		p, err := os.FindProcess(h.PID)
		if err != nil {
			return err
		}
		if err = p.Signal(s); errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		return err
	}
}

// end asks a process to, and waits a little until it has let go of the device.
func end(h host.Holder, device string) func(*host.Handle) error {
	return func(nl *host.Handle) error {
		if err := signal(h, syscall.SIGTERM)(nl); err != nil {
			return err
		}
		for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			list, err := host.Holders(device)
			l, gone := nl.Link(device)
			if err != nil || gone != nil {
				return err // a device that was the program's went with it
			}
			held := slices.ContainsFunc(list, func(o host.Holder) bool { return o.PID == h.PID })
			if !held && (l.MultiQueue || !l.Carrier) {
				return nil
			}
		}
		return fmt.Errorf("%s (pid %d) does not end: kill -KILL %d", h.Command, h.PID, h.PID)
	}
}
