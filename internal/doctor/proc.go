package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// number reads a sysctl of the calling thread's namespace; 0 if there is none.
func number(path string) int {
	b, _ := os.ReadFile(filepath.Join("/proc/sys", path))
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

func setNumber(path string, n int) error {
	return os.WriteFile(filepath.Join("/proc/sys", path), []byte(strconv.Itoa(n)), 0)
}

// sysctlCommand is as one types it: a device's name may have dots, so with slashes.
func sysctlCommand(path string, n int) string { return fmt.Sprintf("sysctl -w %s=%d", path, n) }

// counter reads one of the kernel's, of a table that has a line of names before each
// line of values: "Ip: Forwarding DefaultTTL ...", "Ip: 1 64 ...".
func counter(file, table, name string) uint64 {
	b, _ := os.ReadFile(filepath.Join("/proc/thread-self/net", file))
	var names []string
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != table+":" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i := range min(len(names), len(f)) {
			if names[i] == name {
				n, _ := strconv.ParseUint(f[i], 10, 64)
				return n
			}
		}
	}
	return 0
}
