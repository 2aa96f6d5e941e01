package doctor

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/tundev"
)

// told is what the `tunscript run` that has the device open was told that the device
// is: by flags, or by its configuration. A device that was there before it stays as it
// was, so this may not be what it is.
func told(pid int, device string) Want {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	b, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	args := strings.Split(strings.TrimRight(string(b), "\x00"), "\x00")
	return toldBy(args, filepath.Join(dir, "cwd"), device)
}

// toldBy reads arguments, and the files that they name, from the folder dir.
func toldBy(args []string, dir, device string) Want {
	if len(args) < 2 || args[1] != "run" {
		return Want{}
	}
	w := Want{Device: device}
	flag := func(i int) (name, value string) {
		name, value, ok := strings.Cut(args[i], "=")
		if !ok && i+1 < len(args) {
			value = args[i+1]
		}
		return name, value
	}
	for i := range args {
		switch name, value := flag(i); name {
		case "-c", "--config":
			path := value
			if !filepath.IsAbs(path) {
				path = filepath.Join(dir, path)
			}
			if c, err := config.Load(path); err == nil {
				for _, want := range FromConfig(c) {
					if want.Device == device {
						return want
					}
				}
			}
		case "--address":
			for s := range strings.SplitSeq(value, ",") {
				if p, err := netip.ParsePrefix(s); err == nil {
					w.Address = append(w.Address, p)
				}
			}
		case "--peer":
			for s := range strings.SplitSeq(value, ",") {
				if a, err := netip.ParseAddr(s); err == nil {
					w.Peer = append(w.Peer, a)
				}
			}
		case "--mtu":
			w.MTU, _ = strconv.Atoi(value)
		}
	}
	return w
}

// FromConfig is what a configuration says its TUN and TAP devices are. An MTU counts
// where it is written.
func FromConfig(c *config.Config) (list []Want) {
	for i, d := range c.Devices {
		if d.Kind != config.TUN && d.Kind != config.TAP {
			continue
		}
		w := Want{Device: d.Name, Kind: tundev.Kind(d.Kind), Address: d.Address, Peer: d.Peer, Route: d.Route}
		if c.Says("device[" + strconv.Itoa(i+1) + "].mtu") {
			w.MTU = d.MTU
		}
		list = append(list, w)
	}
	return list
}
