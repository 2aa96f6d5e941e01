package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Verb is the argument that makes the program a keeper: it calls [Serve].
const Verb = "keeper"

// How long a keeper may take to begin or to undo, on a machine that is busy.
const patience = 20 * time.Second

// A Keeper is the run's end. Its methods may be called from several goroutines.
type Keeper struct {
	// Notes are what it undid at its start that killed runs had left, for the log.
	Notes []string

	mu   sync.Mutex // of one request and its answer
	w    wire
	n    int
	cmd  *exec.Cmd
	gone chan struct{} // closed when the process has ended
	err  error         // how, once gone is closed
}

// Start starts this program again as a keeper, with the rights that the caller has now,
// in the network namespace of the calling thread. It must be closed.
func Start(p Plan) (*Keeper, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	w, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	k := &Keeper{w: w, gone: make(chan struct{})}
	k.cmd = &exec.Cmd{
		Path:       "/proc/self/exe", // also right if the file is gone
		Args:       []string{os.Args[0], Verb},
		Env:        environment(),
		Dir:        "/", // it keeps no folder busy
		Stderr:     os.Stderr,
		ExtraFiles: []*os.File{theirs}, // Socket
		// Out of the terminal's reach: ^C is for the run.
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	err = k.cmd.Start()
	theirs.Close()
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("keeper: %w", err)
	}
	go func() {
		k.err = k.cmd.Wait()
		close(k.gone)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	a, _, err := k.ask(ctx, request{Ask: askPlan, Plan: &p})
	if err != nil {
		k.Close()
		return nil, err
	}
	k.Notes = a.Notes
	return k, nil
}

// environment is what a keeper needs of ours: where journals are.
func environment() (env []string) {
	for _, name := range []string{"RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return append(env, "GOMAXPROCS=1")
}

// Open has device number i of the plan opened, or opened again after it was lost, and
// returns its descriptors, as tundev.FromFD takes them. They are the caller's.
func (k *Keeper) Open(ctx context.Context, i int) (fds []int, err error) {
	_, fds, err = k.ask(ctx, request{Ask: askOpen, Device: i})
	if err == nil && len(fds) == 0 {
		err = errors.New("keeper: no descriptor has come: too many files may be open, see ulimit -n")
	}
	return fds, err
}

// Lay lays the loop and the masquerade of the plan, once all its devices are open. If
// it fails, part of it may be there until Close.
func (k *Keeper) Lay() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, _, err := k.ask(ctx, request{Ask: askLay})
	return err
}

// Close has everything undone and waits for it. Idempotent. Its error says what was not
// undone.
func (k *Keeper) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, _, err := k.ask(ctx, request{Ask: askUndo})
	if errors.Is(err, errClosed) {
		return nil
	}
	k.mu.Lock()
	k.w.Close()
	k.mu.Unlock()
	select {
	case <-k.gone:
		if err == nil && k.err != nil {
			err = fmt.Errorf("keeper: %w", k.err)
		}
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("keeper: process %d does not end; what it has not undone is for `tunscript doctor --fix`", k.cmd.Process.Pid))
	}
	return err
}

var errClosed = errors.New("the keeper has been closed")

// ask sends a request and waits for its answer.
func (k *Keeper) ask(ctx context.Context, r request) (a answer, fds []int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.w.SetDeadline(time.Time{}); err != nil {
		return a, nil, errClosed
	}
	stop := context.AfterFunc(ctx, func() { k.w.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	k.n++
	r.N = k.n
	for err = k.w.send(r, nil); err == nil; closeAll(fds) { // an answer that nobody waits for any more
		a = answer{}
		if fds, err = k.w.receive(&a); err == nil && a.N == r.N {
			if err = a.Err.err(); err != nil {
				closeAll(fds)
				fds = nil
			}
			return a, fds, err
		}
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNRESET):
		err = fmt.Errorf("the keeper (process %d) has ended: what it opened stays open, what it changed is for `tunscript doctor --fix`", k.cmd.Process.Pid)
	}
	return a, nil, err
}
