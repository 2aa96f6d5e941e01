// Package privilege gives rights up: capabilities, the user and group, and files.
//
// It knows processes and nothing of packets or configurations. What it does it does to
// all threads of the process, as a right that one thread keeps is a right of all: they
// share their memory. Nothing of it can be taken back.
package privilege

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
)

// An Identity is whom to become.
type Identity struct {
	UID, GID int // -1: stay
}

// Find looks a user and a group up, each a name or a number; "" is to stay. A user
// without a group brings its own.
func Find(userName, groupName string) (Identity, error) {
	id := Identity{-1, -1}
	if userName != "" {
		u, err := user.Lookup(userName)
		if n, numErr := strconv.ParseUint(userName, 10, 31); err != nil && numErr == nil {
			id.UID = int(n)
			if u, err = user.LookupId(userName); errors.As(err, new(user.UnknownUserIdError)) {
				if groupName == "" {
					return id, fmt.Errorf("user %s is nobody in /etc/passwd: say engine.group, too", userName)
				}
				err = nil
			}
		}
		if err != nil {
			return id, fmt.Errorf("user %q: %w (see `getent passwd`, or write the number)", userName, err)
		}
		if u != nil {
			id.UID, _ = strconv.Atoi(u.Uid)
			id.GID, _ = strconv.Atoi(u.Gid)
		}
	}
	if groupName != "" {
		g, err := user.LookupGroup(groupName)
		if n, numErr := strconv.ParseUint(groupName, 10, 31); err != nil && numErr == nil {
			id.GID = int(n)
			return id, nil
		}
		if err != nil {
			return id, fmt.Errorf("group %q: %w (see `getent group`, or write the number)", groupName, err)
		}
		id.GID, _ = strconv.Atoi(g.Gid)
	}
	return id, nil
}

// Files are what a process may still open after [Confine]. A path is a file, or a
// folder with all that is in it. One that does not exist counts for nothing in Read,
// and in Write stands for the folder that it would be in.
type Files struct {
	Read   []string
	Write  []string
	Remove []string // folders that files and sockets may be removed from
}
