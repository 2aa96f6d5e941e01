package lab

import (
	"bufio"
	"os"
	"strings"
)

// Listening reports whether a TCP socket listens in the namespace, or a UDP socket
// is bound: whether a server there is ready for its clients.
func (n *Namespace) Listening() (yes bool, err error) {
	err = n.Do(func() error {
		for name, state := range map[string]string{"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"} {
			// The file of the thread: the process's is of its first namespace.
			found, err := anyInState("/proc/thread-self/net/"+name, state)
			if err != nil {
				return err
			}
			yes = yes || found
		}
		return nil
	})
	return yes, err
}

// anyInState looks for a socket in this state (the kernel's number of it, in the
// fourth column).
func anyInState(path, state string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) > 3 && fields[3] == state {
			return true, nil
		}
	}
	return false, nil
}
