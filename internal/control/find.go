package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Dir is the one place where runs are found: $XDG_RUNTIME_DIR/tunscript, or without that
// /run/tunscript for root and /tmp/tunscript-UID for others, who in a lab are root without
// being it. Each run that has a socket, wherever that is, stands there as a symbolic link
// PID.sock, or PID-2.sock, as the first process of each lab is number 1.
func Dir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tunscript")
	}
	maps, _ := os.ReadFile("/proc/self/uid_map") // elsewhere than on Linux nobody is somebody else
	uid := outside(os.Getuid(), string(maps))
	if uid == 0 {
		return "/run/tunscript"
	}
	return filepath.Join(os.TempDir(), "tunscript-"+strconv.Itoa(uid))
}

// outside is who user uid of this user namespace is where that was made: maps are lines of
// the first number in it, that outside, and how many follow.
func outside(uid int, maps string) int {
	for line := range strings.Lines(maps) {
		var in, out, n int
		if _, err := fmt.Sscan(line, &in, &out, &n); err == nil && in <= uid && uid-in < n {
			return out + uid - in
		}
	}
	return uid
}

const linkSuffix = ".sock"

// Announce makes the run of this process, whose socket is at path, one that Find finds.
// forget takes it back.
func Announce(path string) (forget func(), err error) {
	target, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dir := Dir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := ownDir(dir); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, strconv.Itoa(os.Getpid()))
	link := name + linkSuffix
	for n := 2; taken(link, target); n++ {
		link = fmt.Sprintf("%s-%d%s", name, n, linkSuffix)
	}
	os.Remove(link) // of a process of this number that was killed
	if err := os.Symlink(target, link); err != nil {
		return nil, err
	}
	return func() { os.Remove(link) }, nil
}

// taken says whether link leads to a run that answers, elsewhere than at target.
func taken(link, target string) bool {
	to, err := os.Readlink(link)
	if err != nil || to == target {
		return false
	}
	c, err := net.Dial("unix", to)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// ownDir refuses a folder that somebody else can put anything into.
func ownDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode().Perm()&0o022 != 0 || !ours(info) {
		return fmt.Errorf("%s is not a folder of this user alone: take it away, or set XDG_RUNTIME_DIR", dir)
	}
	return nil
}

// Find is the socket of the only run there is. With none it fails with ErrNotRunning,
// and with several it names them.
func Find(ctx context.Context) (string, error) {
	dir := Dir()
	found, err := alive(ctx, dir)
	if err != nil {
		return "", err
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("%w: no run stands in %s: start one with --control, or give --socket", ErrNotRunning, dir)
	case 1:
		return found[0].socket, nil
	}
	lines := make([]string, len(found))
	for i, f := range found {
		lines[i] = fmt.Sprintf("\n--socket %s (process %d)", f.socket, f.pid)
	}
	return "", mistake(fmt.Errorf("%d runs have a socket: say which%s", len(found), strings.Join(lines, "")))
}

// An entry is a run that stands in Dir.
type entry struct {
	pid    int
	socket string
	made   time.Time
}

// alive are the runs in dir that answer, by process. The links of those that do not are
// taken away.
func alive(ctx context.Context, dir string) (found []entry, err error) {
	if err := ownDir(dir); err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EROFS) {
			return nil, nil // then nobody stands there
		}
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), linkSuffix)
		name, _, _ = strings.Cut(name, "-")
		pid, err := strconv.Atoi(name)
		if !ok || err != nil {
			continue
		}
		link := filepath.Join(dir, e.Name())
		socket, err := os.Readlink(link)
		if err != nil {
			continue
		}
		c, err := Dial(ctx, socket)
		if err != nil {
			if ctx.Err() == nil && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)) {
				os.Remove(link)
			}
			continue
		}
		c.Close()
		var made time.Time
		if info, err := e.Info(); err == nil {
			made = info.ModTime()
		}
		found = append(found, entry{pid, socket, made})
	}
	slices.SortFunc(found, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.socket, b.socket), b.made.Compare(a.made))
	})
	// Of two that name one socket the older is gone and could not take its link away.
	found = slices.CompactFunc(found, func(a, b entry) bool { return a.socket == b.socket })
	slices.SortFunc(found, func(a, b entry) int { return cmp.Compare(a.pid, b.pid) })
	return found, nil
}
