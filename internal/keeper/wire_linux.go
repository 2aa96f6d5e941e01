package keeper

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// A wire is an end of the socket pair: SOCK_SEQPACKET, so that a message is a message
// and a closed other end is io.EOF.
type wire struct{ *net.UnixConn }

const (
	largest    = 128 << 10 // bytes of a message: a plan of some hundred devices
	mostQueues = 253       // of a device: what the kernel takes in one message (SCM_MAX_FD)
)

// pair makes both ends: ours, and that of a child as it inherits it.
func pair() (ours wire, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return wire{}, nil, fmt.Errorf("keeper: socket pair: %w", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "keeper")
	if ours, err = open(fds[0]); err != nil {
		theirs.Close()
	}
	return ours, theirs, err
}

// open takes a descriptor over.
func open(fd int) (wire, error) {
	f := os.NewFile(uintptr(fd), "keeper")
	if f == nil {
		return wire{}, errors.New("keeper: not a descriptor")
	}
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return wire{}, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return wire{}, errors.New("keeper: not a local socket")
	}
	return wire{u}, nil
}

// send sends a message, with descriptors.
func (w wire) send(v any, fds []int) error {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		return err
	}
	if b.Len() > largest {
		return fmt.Errorf("keeper: a message of %d bytes is too long", b.Len())
	}
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	_, _, err := w.WriteMsgUnix(b.Bytes(), oob, nil)
	return err
}

// receive waits for a message; what descriptors came along are the caller's. At the end
// it is io.EOF.
func (w wire) receive(v any) (fds []int, err error) {
	b, oob := make([]byte, largest), make([]byte, unix.CmsgSpace(4*mostQueues))
	n, oobn, _, _, err := w.ReadMsgUnix(b, oob)
	if err != nil {
		return nil, err
	}
	if ms, err := unix.ParseSocketControlMessage(oob[:oobn]); err == nil {
		for _, m := range ms {
			if rights, err := unix.ParseUnixRights(&m); err == nil {
				fds = append(fds, rights...)
			}
		}
	}
	if n == 0 {
		err = io.EOF
	} else {
		err = gob.NewDecoder(bytes.NewReader(b[:n])).Decode(v)
	}
	if err != nil {
		closeAll(fds)
		return nil, err
	}
	return fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
