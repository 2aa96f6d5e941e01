package lab

import "os"

// Options say how a lab is made.
type Options struct {
	// Userns makes a user namespace even where root could do without one.
	Userns bool
}

// env tells a re-executed process that it is the child, and what only its parent can
// know: whether what is typed on the terminal goes to them. Once the child has reported
// to its parent, " ready" is behind it.
const (
	env      = "TUNSCRIPT_LAB"
	envTyped = "terminal"
	envPlain = "plain"
	envReady = " ready"
)

// Inside says whether this process is the one that [Enter] started in a lab. The
// processes that it starts are in the lab but are not that process: `tunscript lab`
// in a lab's shell makes a lab of its own.
func Inside() bool { return os.Getenv(env) != "" && os.Getpid() == 1 }
