//go:build !linux

package keeper

import "errors"

// Leftovers finds none: there are no devices to change.
func Leftovers() ([]Leftover, error) { return nil, nil }

// Undo fails.
func (l Leftover) Undo() error { return errors.ErrUnsupported }
