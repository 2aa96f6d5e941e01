package doctor

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// checkCapability: neither its owner nor somebody with CAP_NET_ADMIN asks.
func checkCapability(v *view) ([]Finding, error) {
	if !v.there() || netAdmin() {
		return nil, nil
	}
	// With user and group set most kernels want both.
	l := v.link
	user := l.Owner < 0 || l.Owner == os.Geteuid()
	groups, _ := os.Getgroups()
	group := l.Group < 0 || l.Group == os.Getegid() || slices.Contains(groups, l.Group)
	if (l.Owner >= 0 || l.Group >= 0) && user && group {
		return nil, nil
	}
	whose := "it has no owner"
	switch {
	case l.Owner >= 0 && !user:
		whose = fmt.Sprintf("it is user %d's", l.Owner)
	case !group:
		whose = fmt.Sprintf("it is for group %d", l.Group)
	}
	exe, err := os.Executable()
	if err != nil {
		exe = "FILE"
	}
	return []Finding{v.finding("capability",
		fmt.Sprintf("you (user %d) may not open it: %s, and this program has not the capability CAP_NET_ADMIN", os.Geteuid(), whose),
		nil, "setcap cap_net_admin+ep "+exe)}, nil
}

// netAdmin reports CAP_NET_ADMIN among the effective capabilities of this thread.
func netAdmin() bool {
	const capNetAdmin = 12
	b, _ := os.ReadFile("/proc/thread-self/status")
	for line := range strings.Lines(string(b)) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return err == nil && set>>capNetAdmin&1 != 0
		}
	}
	return os.Geteuid() == 0
}
