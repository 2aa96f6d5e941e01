package keeper

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
)

// A Plan is all that a keeper will ever do: it is fixed before any script runs.
type Plan struct {
	Devices    []tundev.Config // that may be opened, and opened again
	Loop       []int           // two of Devices, each the way to the other's addresses; or none
	Masquerade bool            // what comes from Devices leaves with this host's address
}

// check refuses numbers of no device.
func (p Plan) check() error {
	if len(p.Loop) != 0 && len(p.Loop) != 2 {
		return errors.New("keeper: a loop has two devices")
	}
	for _, i := range p.Loop {
		if i < 0 || i >= len(p.Devices) {
			return errors.New("keeper: a loop of devices that are not in the plan")
		}
	}
	return nil
}

// What a keeper can be asked for, after its plan.
const (
	askPlan = iota
	askOpen
	askLay
	askUndo
)

// request is one datagram to the keeper.
type request struct {
	N      int // answers name it; one may come too late
	Ask    int
	Device int   // askOpen: its number in the plan
	Plan   *Plan // askPlan
}

// answer is one datagram back; with a descriptor if a device was opened.
type answer struct {
	N     int
	Notes []string // what was undone that others had left
	Err   *failure
}

// A failure is an error on its way between two processes: its text, and as much of its
// kind as errors.Is and exit codes are asked for.
type failure struct {
	Text  string
	Errno syscall.Errno
	Kind  int // 1 + its number in kinds
}

func kinds() []error {
	return []error{
		tundev.ErrNoTunDevice, tundev.ErrPermission, tundev.ErrBusy, tundev.ErrMismatch, tundev.ErrBadName,
		tundev.ErrBadConfig, tundev.ErrGone, host.ErrNoLink, host.ErrRouteTaken, fs.ErrPermission,
	}
}

func failed(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Text: err.Error()}
	f.Errno, _ = errors.AsType[syscall.Errno](err)
	for i, kind := range kinds() {
		if errors.Is(err, kind) {
			f.Kind = i + 1
			break
		}
	}
	return f
}

func (f *failure) Error() string { return f.Text }

func (f *failure) Unwrap() (all []error) {
	if f.Errno != 0 {
		all = append(all, f.Errno)
	}
	if list := kinds(); f.Kind > 0 && f.Kind <= len(list) {
		all = append(all, list[f.Kind-1])
	}
	return all
}

// err is nil of a nil failure.
func (f *failure) err() error {
	if f == nil {
		return nil
	}
	return f
}
