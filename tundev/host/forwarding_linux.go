package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Forwarding are the sysctls that forwarding packets of a family changes, as they are
// now, in the order in which to note them for [Handle.Undo]; and whether this host
// forwards already, so that there is nothing to do. Without IPv6 in the kernel it is so.
//
// The switch for all devices is not one switch: the kernel sets it for each device, and
// lets or does not let this host take redirects. And a host that forwards IPv6 forgets
// what routers tell it, its default route among it, unless accept_ra is 2.
func Forwarding(v6 bool) (list []Change, on bool, err error) {
	base := "net/ipv4/conf"
	if v6 {
		base = "net/ipv6/conf"
	}
	note := func(path string) (string, error) {
		value, err := getSysctl(path)
		if err == nil {
			list = append(list, Change{Kind: KindSysctl, Path: path, Text: value})
		}
		return value, err
	}
	devices, err := os.ReadDir(filepath.Join(sysctls, base))
	if err != nil {
		if v6 && errors.Is(err, os.ErrNotExist) {
			return nil, true, nil
		}
		return nil, false, err
	}
	if !v6 {
		if _, err := note(base + "/all/accept_redirects"); err != nil {
			return nil, false, err
		}
	}
	for _, d := range devices {
		dir := base + "/" + d.Name()
		if d.Name() == "all" {
			continue
		}
		forwards, err := note(dir + "/forwarding")
		if err == nil && v6 && forwards == "0" {
			if ra, raErr := getSysctl(dir + "/accept_ra"); raErr == nil && ra == "1" {
				_, err = note(dir + "/accept_ra")
			}
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) { // a device may go meanwhile
			return nil, false, err
		}
	}
	all, err := note(base + "/all/forwarding") // the last to be changed and the first to be put back
	return list, all == "1", err
}

// Forward has this host forward, after [Forwarding] has said what that changes.
func Forward(list []Change) error {
	for _, c := range list {
		switch {
		case strings.HasSuffix(c.Path, "/accept_ra"):
			if err := putSysctl(c.Path, "2"); err != nil {
				return err
			}
		case strings.HasSuffix(c.Path, "/all/forwarding"):
			if err := putSysctl(c.Path, "1"); err != nil {
				return err
			}
		}
	}
	return nil
}
