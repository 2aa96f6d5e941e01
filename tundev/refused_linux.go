package tundev

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/tunscript/tunscript/tundev/host"
)

// refused says more of why the kernel did not let us have a device that is there: whose
// it is, or who has it.
func refused(err error, c Config, was host.Link) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || was.Name == "" {
		return err
	}
	switch {
	case errors.Is(e.Kind, ErrPermission) && e.Op == "open":
		e.Fix = fmt.Sprintf("it is for %s, and you are user %s: have it made for you with `sudo tunscript dev del %s` and `sudo tunscript dev add %s --mode %s --user %s`",
			allowed(was), accountOf(os.Geteuid(), userName), was.Name, was.Name, was.Kind, nameOf(os.Geteuid(), userName))
	case errors.Is(e.Kind, ErrBusy):
		e.Fix = "one program at a time reads it, and now " + holders(was.Name) + " does: end that one, or choose another name"
		if was.MultiQueue {
			e.Fix = "all its queues are taken, by " + holders(was.Name)
		}
	}
	return e
}

// allowed names those who may attach. Where user and group are set the kernel wants both,
// but for some versions (6.14 and a few after it) that take either.
func allowed(was host.Link) string {
	owner, group := "user "+accountOf(was.Owner, userName), "group "+accountOf(was.Group, groupName)
	const root = "those who have CAP_NET_ADMIN"
	switch {
	case was.Owner >= 0 && was.Group >= 0:
		return "its owner, " + owner + ", in " + group + ", and " + root
	case was.Owner >= 0:
		return "its owner, " + owner + ", and " + root
	case was.Group >= 0:
		return group + " and " + root
	}
	return root + " alone: it has no owner"
}

// holders names the processes that have a device open, as far as we may look.
func holders(device string) string {
	list, _ := host.Holders(device)
	if len(list) == 0 {
		return "a process of somebody else (sudo tunscript dev show " + device + ")"
	}
	var who []string
	for _, h := range list {
		who = append(who, fmt.Sprintf("%s (pid %d)", h.Command, h.PID))
	}
	return strings.Join(who, ", ")
}

// A lookup finds the number of an account, or its name.
type lookup func(string) (string, error)

func userID(name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return u.Uid, nil
}

func groupID(name string) (string, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return "", err
	}
	return g.Gid, nil
}

func userName(id string) (string, error) {
	u, err := user.LookupId(id)
	if err != nil {
		return "", err
	}
	return u.Username, nil
}

func groupName(id string) (string, error) {
	g, err := user.LookupGroupId(id)
	if err != nil {
		return "", err
	}
	return g.Name, nil
}

// accountOf is "nobody (65534)", or the number alone; of -1 "nobody in particular".
func accountOf(id int, name lookup) string {
	if id < 0 {
		return "not set"
	}
	if n := nameOf(id, name); n != strconv.Itoa(id) {
		return fmt.Sprintf("%s (%d)", n, id)
	}
	return strconv.Itoa(id)
}

func nameOf(id int, name lookup) string {
	n := strconv.Itoa(id)
	if s, err := name(n); err == nil {
		return s
	}
	return n
}
