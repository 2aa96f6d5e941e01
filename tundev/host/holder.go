package host

// A Holder is a process that has a TUN or TAP device open.
type Holder struct {
	PID     int    `json:"pid"`
	Command string `json:"command"` // its name, at most 15 bytes
	// Stopped: by a signal or a debugger. It reads nothing until it goes on.
	Stopped bool `json:"stopped,omitempty"`
}
