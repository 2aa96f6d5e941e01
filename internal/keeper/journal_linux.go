package keeper

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

const suffix = ".journal"

// head is the first line of a journal.
type head struct {
	PID       int       `json:"pid"`
	Since     time.Time `json:"since"`
	Boot      string    `json:"boot"`
	Namespace string    `json:"namespace"`
	Cookie    uint64    `json:"cookie"` // of the namespace; its number may be another's later, this not
}

// here is the head of a journal that begins now.
func here() (head, error) {
	h := head{PID: os.Getpid(), Since: time.Now()}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return h, err
	}
	h.Boot = strings.TrimSpace(string(boot))
	if h.Namespace, err = os.Readlink("/proc/thread-self/ns/net"); err != nil {
		return h, err
	}
	s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return h, err
	}
	defer unix.Close(s)
	h.Cookie, _ = unix.GetsockoptUint64(s, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE) // 0 before Linux 5.14
	return h, nil
}

// same says whether o's namespace is that of h.
func (h head) same(o head) bool {
	return h.Boot == o.Boot && h.Namespace == o.Namespace && h.Cookie == o.Cookie
}

// A journal is the file of a keeper that lives.
type journal struct {
	head
	file    *os.File
	path    string
	changes []host.Change
}

// create begins a journal in dir. It gets its name only once it is locked and has its
// first line: so nobody takes it for what somebody has left.
func create(dir string) (*journal, error) {
	h, err := here()
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, ".new-")
	if err != nil {
		return nil, err
	}
	j := &journal{head: h, file: f, path: filepath.Join(dir, fmt.Sprint(h.PID, suffix))}
	if err = ignoringEINTR(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX) }); err == nil {
		if err = j.line(h); err == nil {
			// A process namespace of its own has our number, too.
			for n := 1; ; n++ {
				if err = os.Link(f.Name(), j.path); !errors.Is(err, os.ErrExist) {
					break
				}
				j.path = filepath.Join(dir, fmt.Sprint(h.PID, "-", n, suffix))
			}
		}
	}
	os.Remove(f.Name())
	if err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

func (j *journal) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(b, '\n'))
	return err
}

// note writes a change down that is about to be made.
func (j *journal) note(c host.Change) error {
	if err := j.line(c); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.changes = append(j.changes, c)
	return nil
}

// remove ends the journal: all of it has been undone.
func (j *journal) remove() error {
	return errors.Join(os.Remove(j.path), j.file.Close())
}

// read is the journal in f, up to a last line that was cut off by a kill.
func read(f *os.File) (h head, changes []host.Change, err error) {
	in := bufio.NewReader(f)
	for first := true; ; first = false {
		line, err := in.ReadBytes('\n')
		if !bytes.HasSuffix(line, []byte("\n")) {
			if first {
				return h, nil, fmt.Errorf("%s: is no journal of tunscript (%w)", f.Name(), err)
			}
			return h, changes, nil
		}
		var c host.Change
		if first {
			err = json.Unmarshal(line, &h)
		} else if err = json.Unmarshal(line, &c); err == nil {
			changes = append(changes, c)
		}
		if err != nil {
			return h, nil, fmt.Errorf("%s: is no journal of tunscript: %w", f.Name(), err)
		}
	}
}
