package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// socketMode is for the user of the process alone.
const socketMode = 0o600

// listen makes the socket at path. One that nobody answers at, left by a process that
// was killed, goes first.
func listen(path string) (*net.UnixListener, error) {
	if err := clearStale(path); err != nil {
		return nil, err
	}
	var modeErr error
	lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { modeErr = private(fd) })
	}}
	l, err := lc.Listen(context.Background(), "unix", path)
	if err == nil {
		if err = errors.Join(modeErr, os.Chmod(path, socketMode)); err != nil {
			l.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, reason(err))
	}
	return l.(*net.UnixListener), nil
}

// clearStale takes away a socket that nobody listens at.
func clearStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("control socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("control socket %s: a file of this name is there, and it is no socket: choose another", path)
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
		return fmt.Errorf("control socket %s: another process answers there: stop it, or choose another path", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("control socket %s: %w", path, reason(err))
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

// reason is what is behind the operation and address that package net puts in front.
func reason(err error) error {
	if oe, ok := errors.AsType[*net.OpError](err); ok {
		return oe.Err
	}
	return err
}

// allowed says whether a user may use a socket of user self.
func allowed(uid, self int) error {
	if uid == self || uid == 0 {
		return nil
	}
	return mistake(fmt.Errorf("user %d runs this and user %d asks: only the same user, or root, may", self, uid))
}
