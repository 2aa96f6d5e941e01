package control

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// admit refuses whoever is neither this process's user nor root. Who connected is what
// the kernel noted at that moment (SO_PEERCRED, unix(7)).
func admit(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var optErr error
	if err := raw.Control(func(fd uintptr) {
		cred, optErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if optErr != nil {
		return fmt.Errorf("who connected: %w", optErr)
	}
	return allowed(int(cred.Uid), os.Geteuid())
}

// private gives the socket its mode before it has a name, so that nobody else can open
// it in between: bind(2) makes the file with that of the socket's inode.
func private(fd uintptr) error { return unix.Fchmod(int(fd), socketMode) }
