package lab

import (
	"cmp"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Command is a program to be run in a lab, with the standard streams of this process.
type Command struct {
	// Args are program and arguments. Empty is the user's shell, $SHELL or /bin/sh.
	Args []string
	// Namespace to run in; nil is the one that this process was started in.
	Namespace *Namespace
	// What TUNSCRIPT_DEV, TUNSCRIPT_HOST and TUNSCRIPT_PEER say; zero is left out.
	Device     string
	Host, Peer netip.Addr
	// Background commands read nothing from the terminal, and its keys (^C, ^Z) do
	// not reach them: a server beside the command that the user looks at.
	Background bool
	// Keep are signals that this process wants for itself: Run does not pass them on.
	Keep []os.Signal
}

func (c Command) args() []string {
	if len(c.Args) > 0 {
		return c.Args
	}
	return []string{cmp.Or(os.Getenv("SHELL"), "/bin/sh")}
}

// shell says whether args are a shell at the terminal, which wants the terminal for
// the jobs it runs: one word, as sh, /bin/bash or fish.
func shell(args []string) bool { return len(args) == 1 && strings.HasSuffix(args[0], "sh") }

// environ is ours without what concerns this process alone, and with what the command
// is to know.
func (c Command) environ(own []string) []string {
	e := slices.DeleteFunc(slices.Clone(own), func(v string) bool { return strings.HasPrefix(v, env+"=") })
	for _, v := range []struct{ name, value string }{
		{"TUNSCRIPT_DEV", c.Device}, {"TUNSCRIPT_HOST", text(c.Host)}, {"TUNSCRIPT_PEER", text(c.Peer)},
	} {
		if v.value != "" {
			e = append(e, v.name+"="+v.value)
		}
	}
	return e
}

func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
