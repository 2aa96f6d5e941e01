//go:build !linux

package lab

import (
	"context"
	"errors"

	"github.com/tunscript/tunscript/tundev/host"
)

func missing() error {
	return &PrivilegeError{
		What: "namespaces and TUN devices need Linux",
		Fix:  "use `tunscript replay` or `tunscript test`, which need neither",
		Err:  errors.ErrUnsupported,
	}
}

// Enter fails.
func Enter(o Options) (status int, inside bool, err error) { return 0, false, missing() }

// Namespace is a network namespace, which only Linux has.
type Namespace struct{}

// NewNamespace fails.
func NewNamespace() (*Namespace, error) { return nil, missing() }

// CurrentNamespace fails.
func CurrentNamespace() (*Namespace, error) { return nil, missing() }

// Do fails.
func (n *Namespace) Do(fn func() error) error { return missing() }

// Host fails.
func (n *Namespace) Host() (*host.Handle, error) { return nil, missing() }

// Adopt fails.
func (n *Namespace) Adopt(device string) error { return missing() }

// Listening fails.
func (n *Namespace) Listening() (bool, error) { return false, missing() }

// Close does nothing.
func (n *Namespace) Close() error { return nil }

// Process is a command that runs in a lab.
type Process struct{}

// Run fails.
func (c Command) Run(ctx context.Context) (status int, err error) { return 126, missing() }

// Start fails.
func (c Command) Start() (*Process, error) { return nil, missing() }

// Wait fails.
func (p *Process) Wait() (status int, err error) { return 126, missing() }

// Stop does nothing.
func (p *Process) Stop() {}
