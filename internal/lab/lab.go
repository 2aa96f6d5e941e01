package lab

import "os"

// Options say how a lab is made.
type Options struct {
	// Userns makes a user namespace even where root could do without one.
	Userns bool
}

// env tells a re-executed process that it is the child: "new" until it has reported
// to its parent, then "ready".
const env = "TUNSCRIPT_LAB"

// Inside says whether this process is the one that [Enter] started in a lab. The
// processes that it starts are in the lab but are not that process: `tunscript lab`
// in a lab's shell makes a lab of its own.
func Inside() bool { return os.Getenv(env) != "" && os.Getpid() == 1 }
