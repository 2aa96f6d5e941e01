//go:build !linux

package keeper

import (
	"context"
	"errors"
)

// Verb is the argument that makes the program a keeper: it calls [Serve].
const Verb = "keeper"

// A Keeper is the run's end.
type Keeper struct {
	Notes []string
}

// Start fails: there are no devices to keep.
func Start(p Plan) (*Keeper, error) { return nil, errors.ErrUnsupported }

// Open fails.
func (k *Keeper) Open(ctx context.Context, i int) (fds []int, err error) {
	return nil, errors.ErrUnsupported
}

// Lay fails.
func (k *Keeper) Lay() error { return errors.ErrUnsupported }

// Close does nothing.
func (k *Keeper) Close() error { return nil }

// Serve fails.
func Serve() error { return errors.ErrUnsupported }
