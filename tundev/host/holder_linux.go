package host

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Holders lists the processes that have the device open, lowest number first, as far
// as the caller may look: an ordinary user sees his own. It is about the namespace of
// the calling thread.
//
// The kernel tells it in one place only, the "iff:" line of /proc/PID/fdinfo/FD.
func Holders(name string) ([]Holder, error) {
	ours, err := netns("/proc/thread-self/ns/net")
	if err != nil {
		return nil, &Error{Op: "look who holds it", Device: name, Err: err, Fix: "mount /proc: sudo mount -t proc proc /proc"}
	}
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fail("look who holds it", name, err, nil)
	}
	var list []Holder
	for _, d := range dirs {
		if pid, err := strconv.Atoi(d.Name()); err == nil && holds(pid, name, ours) {
			list = append(list, holder(pid))
		}
	}
	slices.SortFunc(list, func(a, b Holder) int { return a.PID - b.PID })
	return list, nil
}

// holds looks through the descriptors of a process. One that ends meanwhile has none.
func holds(pid int, name string, ours ns) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	fds, _ := os.ReadDir(filepath.Join(dir, "fd"))
	for _, fd := range fds {
		var st unix.Stat_t
		if unix.Stat(filepath.Join(dir, "fd", fd.Name()), &st) != nil || !isTun(&st) {
			continue
		}
		b, _ := os.ReadFile(filepath.Join(dir, "fdinfo", fd.Name()))
		if !slices.Contains(strings.Split(string(b), "\n"), "iff:\t"+name) {
			continue
		}
		n, _ := strconv.Atoi(fd.Name())
		if theirs, err := deviceNetns(pid, n); err == nil && theirs == ours {
			return true
		}
	}
	return false
}

// isTun: /dev/net/tun is 10, 200, wherever its node is.
func isTun(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFCHR && unix.Major(st.Rdev) == 10 && unix.Minor(st.Rdev) == 200
}

// ns tells network namespaces apart.
type ns struct{ dev, ino uint64 }

func netns(path string) (ns, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return ns{uint64(st.Dev), st.Ino}, err
}

// deviceNetns is the namespace of the device that a process has open, which need not be
// that of the process. Asking takes its descriptor (ptrace rights) and CAP_NET_ADMIN;
// who has them not takes the namespace of the process for it.
func deviceNetns(pid, fd int) (ns, error) {
	if of, err := unix.PidfdOpen(pid, 0); err == nil {
		defer unix.Close(of)
		if dup, err := unix.PidfdGetfd(of, fd, 0); err == nil {
			defer unix.Close(dup)
			n, err := unix.IoctlRetInt(dup, unix.TUNGETDEVNETNS)
			if err == nil {
				defer unix.Close(n)
				return netns(filepath.Join("/proc/thread-self/fd", strconv.Itoa(n)))
			}
		}
	}
	return netns(filepath.Join("/proc", strconv.Itoa(pid), "ns/net"))
}

// holder is what stands in /proc/PID/stat: "12 (a name) S ...".
func holder(pid int) Holder {
	h := Holder{PID: pid, Command: "?"}
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	from, to := strings.IndexByte(string(b), '('), strings.LastIndexByte(string(b), ')')
	if err != nil || from < 0 || to < from || len(b) < to+3 {
		return h
	}
	h.Command = string(b[from+1 : to])
	h.Stopped = strings.IndexByte("Tt", b[to+2]) >= 0
	return h
}
