package tundev

import (
	"context"
	"errors"
	"fmt"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// retire lets go of a device that is gone: there is nothing to put back, and a new one of
// its name is somebody else's. What reopen needs stays.
func (q *tunQueue) retire() {
	if q.fd < 0 {
		return
	}
	q.deaf()
	q.follow.on.Wait()
	q.s.undo = nil
	q.s.close()
	unix.Close(q.fd)
	q.fd, q.spare = -1, nil
}

// reopen opens the device as it was opened the first time: one that Open made is made and
// set up again, one that was there is waited for.
func (q *tunQueue) reopen(ctx context.Context) ([]queue, error) {
	var t tuntap
	var s *setup
	var link host.Link
	c := q.c
	switch {
	case c.Reopen != nil:
		fds, err := c.Reopen(ctx)
		if err != nil {
			return nil, err
		}
		if t, s, link, err = c.takeOver(fds); err != nil {
			for _, fd := range fds {
				unix.Close(fd)
			}
			return nil, err
		}
	case !q.opened:
		return nil, fmt.Errorf("whoever opened the descriptor of %s must open it again, see Config.Reopen: %w", c.Name, errors.ErrUnsupported)
	default:
		err := q.home.do(func() (err error) {
			t, s, link, err = c.openHere(q.s.created)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	next := newTunQueues(q.d, c, t, s, link, q.opened, q.home)
	q.home = nil
	return next, nil
}
