package keeper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/tunscript/tunscript/internal/privilege"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// Socket is the descriptor at which a keeper finds its end of the socket pair.
const Socket = 3

// Serve is the life of a keeper, as [Start] starts it: it answers on [Socket] until
// that closes, and then undoes. An error says what could not be undone, or that nobody
// is there to keep anything for.
func Serve() error {
	// Who sends these means the run: it ends, and then we do.
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGPIPE)
	w, err := open(Socket)
	if err != nil {
		return errors.New("keeper: it is started by `tunscript run` and not by hand")
	}
	defer w.Close()
	s := &server{}
	for {
		var r request
		fds, err := w.receive(&r)
		closeAll(fds)   // nobody should have sent any
		if err != nil { // io.EOF, or somebody who does not know how to ask
			undoErr := s.undo()
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return errors.Join(err, undoErr)
		}
		fds, notes, err := s.answer(r)
		err = w.send(answer{N: r.N, Notes: notes, Err: failed(err)}, fds)
		closeAll(fds) // the device is the run's alone
		if err != nil || r.Ask == askUndo {
			return errors.Join(err, s.undo())
		}
	}
}

// server is what a keeper keeps.
type server struct {
	plan    *Plan
	names   []string // of devices that have been opened
	journal *journal // nil until there is something to undo
	table   int      // of the loop, once it is laid
}

func (s *server) answer(r request) (fds []int, notes []string, err error) {
	if s.plan == nil {
		if r.Ask != askPlan || r.Plan == nil {
			return nil, nil, errors.New("keeper: the plan comes first")
		}
		notes, err = s.begin(*r.Plan)
		return nil, notes, err
	}
	switch r.Ask {
	case askOpen:
		fds, err = s.open(r.Device)
		return fds, nil, err
	case askLay:
		return nil, nil, s.lay()
	case askUndo:
		return nil, nil, s.undo()
	}
	return nil, nil, errors.New("keeper: this is not among what can be asked for")
}

// begin takes the plan, gives up what it does not need, and cleans up after keepers
// that were killed.
func (s *server) begin(p Plan) (notes []string, err error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := privilege.KeepOnly(unix.CAP_NET_ADMIN); err != nil {
		return nil, err
	}
	s.plan, s.names = &p, make([]string, len(p.Devices))
	list, err := Leftovers()
	if err != nil {
		return []string{"what runs may have left that were killed cannot be told: " + err.Error()}, nil
	}
	for _, l := range list {
		if !l.Here {
			continue
		}
		if err := l.Undo(); err != nil {
			notes = append(notes, fmt.Sprintf("what a killed run has left is still there (see `tunscript doctor`): %v", err))
			continue
		}
		notes = append(notes, fmt.Sprintf("undid what a run has left that was killed: %d changes of %s", len(l.Changes), l.Since.Format("2006-01-02 15:04")))
	}
	return notes, nil
}

// open opens device i of the plan.
func (s *server) open(i int) (fds []int, err error) {
	if i < 0 || i >= len(s.plan.Devices) {
		return nil, errors.New("keeper: no such device in the plan")
	}
	c := s.plan.Devices[i]
	if s.names[i] != "" {
		c.Name = s.names[i] // where the plan has a pattern, this is what became of it
	}
	if c.Queues > mostQueues {
		return nil, fmt.Errorf("%s: %d queues cannot be handed over: say at most %d", c.Name, c.Queues, mostQueues)
	}
	if fds, err = tundev.OpenFD(c, s.note); err != nil {
		return nil, err
	}
	ifr, err := unix.NewIfreq("")
	if err == nil {
		err = unix.IoctlIfreq(fds[0], unix.TUNGETIFF, ifr)
	}
	if err == nil {
		s.names[i] = ifr.Name()
		err = s.layLoop(false) // a device that was made anew has no routes
	}
	if err != nil {
		closeAll(fds)
		return nil, err
	}
	return fds, nil
}

// note writes a change down that is about to be made.
func (s *server) note(c host.Change) error {
	if s.journal == nil {
		dir, err := s.begun()
		if err != nil {
			return err
		}
		dir.Close()
	}
	if slices.Contains(s.journal.changes, c) {
		return nil // a device that comes and goes is put back as it was at first
	}
	return s.journal.note(c)
}

// begun sees to it that there is a journal, and keeps other keepers waiting until the
// folder that it returns is closed.
func (s *server) begun() (dir *os.File, err error) {
	if dir, err = openDirectory(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if s.journal == nil {
		if s.journal, err = create(dir.Name()); err != nil {
			dir.Close()
			return nil, fmt.Errorf("journal: %w", err)
		}
	}
	return dir, nil
}

// undo takes back all that was noted. What could not be stays in the journal, for
// `tunscript doctor --fix`.
func (s *server) undo() error {
	if s.journal == nil {
		return nil
	}
	j := s.journal
	s.journal = nil
	dir, err := lockDirectory(filepath.Dir(j.path))
	if err != nil {
		return err
	}
	defer dir.Close()
	_, living, err := journals(dir.Name(), j.path)
	if err != nil {
		living = nil // somebody's journal cannot be read: ours is undone all the same
	}
	if err := undo(j.changes, living); err != nil {
		j.file.Close()
		return fmt.Errorf("not all was undone, and is in %s: see `tunscript doctor --fix`: %w", j.path, err)
	}
	return j.remove()
}
