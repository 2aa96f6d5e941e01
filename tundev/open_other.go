//go:build !linux

package tundev

import (
	"errors"

	"github.com/tunscript/tunscript/tundev/host"
)

func missing(op, name string) error {
	return &Error{Op: op, Device: name, Kind: ErrNoTunDevice, Err: errors.ErrUnsupported,
		Fix: "TUN and TAP devices need Linux; Pipe and captures work everywhere"}
}

// Open fails: only Linux has these devices.
func Open(c Config) (*Device, error) { return nil, missing("open", c.Name) }

// FromFD fails: only Linux has these devices.
func FromFD(fd int, c Config, more ...int) (*Device, error) { return nil, missing("take over", c.Name) }

// OpenFD fails: only Linux has these devices.
func OpenFD(c Config, note func(host.Change) error) (fds []int, err error) {
	return nil, missing("open", c.Name)
}
