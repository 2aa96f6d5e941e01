package setup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/control"
	"github.com/tunscript/tunscript/internal/keeper"
	"github.com/tunscript/tunscript/internal/privilege"
	"github.com/tunscript/tunscript/tundev"
)

// Host is what a run does to this host, and with whose rights. The zero Host does
// nothing but open devices.
type Host struct {
	id     privilege.Identity
	files  privilege.Files
	keeper *keeper.Keeper // nil: nothing to undo, and no rights to give up
	number map[int]int    // of a device of the configuration in the keeper's plan

	scripts []string
	Notes   []string // for the log
}

// NewHost starts a keeper, if c asks for what is undone at the end, or for another user
// or group. It must be closed.
func NewHost(c *config.Config) (*Host, error) {
	user, group := string(c.Engine.User), string(c.Engine.Group)
	h := &Host{number: map[int]int{}}
	var err error
	if h.id, err = privilege.Find(user, group); err != nil {
		key := "engine.user"
		if _, of := privilege.Find(user, "0"); of == nil && group != "" { // the user is not it
			key = "engine.group"
		}
		return nil, config.Errors{c.Mistake(key, err)}
	}
	p := keeper.Plan{Masquerade: c.Host.Masquerade, Loop: make([]int, len(c.Host.Loop))}
	for i, d := range c.Devices {
		if d.Kind != config.TUN && d.Kind != config.TAP {
			continue
		}
		h.number[i] = len(p.Devices)
		for end, name := range c.Host.Loop {
			if name == d.Name {
				p.Loop[end] = len(p.Devices)
			}
		}
		p.Devices = append(p.Devices, tun(c, d))
	}
	if user == "" && group == "" && len(p.Loop) == 0 && !p.Masquerade {
		return h, nil
	}
	h.files = files(c)
	for _, script := range c.Scripts {
		h.scripts = append(h.scripts, script.Path)
	}
	if h.keeper, err = keeper.Start(p); err != nil {
		return nil, err
	}
	h.Notes = h.keeper.Notes
	return h, nil
}

// open opens device i of the configuration, which is a tun or tap device.
func (h *Host) open(i int, tc tundev.Config) (engine.Device, error) {
	if h == nil || h.keeper == nil {
		return tundev.Open(tc)
	}
	n := h.number[i]
	fds, err := h.keeper.Open(context.Background(), n)
	if err != nil {
		return nil, err
	}
	tc.Manage = false // the keeper has done that, and undoes it
	tc.Reopen = func(ctx context.Context) ([]int, error) { return h.keeper.Open(ctx, n) }
	if strings.Contains(tc.Name, "%") {
		tc.Name = ""
	}
	dev, err := tundev.FromFD(fds[0], tc, fds[1:]...)
	if err != nil {
		for _, fd := range fds {
			os.NewFile(uintptr(fd), "").Close()
		}
		return nil, err
	}
	return dev, nil
}

// Lay lays what [host] says, once the devices are open.
func (h *Host) Lay() error {
	if h.keeper == nil {
		return nil
	}
	return h.keeper.Lay()
}

// Drop gives the rights up that the keeper has, when all that needs them is open. As
// another user or group the process keeps the files that its configuration names, and
// no others; where the kernel cannot do that the error is privilege.ErrNoLandlock, and
// all else is done.
func (h *Host) Drop() error {
	if h.keeper == nil {
		return nil
	}
	if err := privilege.Drop(h.id); err != nil {
		return err
	}
	if h.id == (privilege.Identity{UID: -1, GID: -1}) {
		return nil
	}
	return privilege.Confine(h.files)
}

// Unreadable says, after Drop, why scripts could not be loaded anew.
func (h *Host) Unreadable() (errs []error) {
	for _, path := range h.scripts {
		f, err := os.Open(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		f.Close()
	}
	return errs
}

// Close has everything undone.
func (h *Host) Close() error {
	if h.keeper == nil {
		return nil
	}
	return h.keeper.Close()
}

// files are those that c needs after the start: what a reload reads, what is written.
func files(c *config.Config) (f privilege.Files) {
	f.Read = append(f.Read, "/etc/localtime", "/usr/share/zoneinfo")
	for _, s := range c.Scripts {
		f.Read = append(f.Read, filepath.Dir(absolute(s.Path)))
	}
	for _, d := range c.Devices {
		if d.Kind != config.TCP && d.Kind != config.UDP {
			continue
		}
		f.Read = append(f.Read, "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf") // of names
		if d.Kind == config.TCP {
			f.Read = append(f.Read, "/etc/ssl", "/usr/share/ca-certificates", "/etc/pki")
		}
		for _, path := range []string{d.Cert, d.Key, d.CA} {
			if path != "" {
				f.Read = append(f.Read, absolute(path))
			}
		}
	}
	if c.Engine.Errors != "" {
		f.Write = append(f.Write, absolute(c.Engine.Errors))
	}
	if c.Control.Socket != "" {
		f.Remove = append(f.Remove, filepath.Dir(absolute(c.Control.Socket)), control.Dir())
	}
	return f
}

// Writes names files that are written besides those of the configuration. An empty name
// is none.
func (h *Host) Writes(paths ...string) {
	for _, path := range paths {
		if path != "" && path != "-" {
			h.files.Write = append(h.files.Write, absolute(path))
		}
	}
}

// Removes names control sockets, which are taken away at the end, see [Host.Writes].
func (h *Host) Removes(paths ...string) {
	for _, path := range paths {
		if path != "" {
			h.files.Remove = append(h.files.Remove, filepath.Dir(absolute(path)), control.Dir())
		}
	}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Unconfined says of an error of Drop that the run can go on.
func Unconfined(err error) bool { return errors.Is(err, privilege.ErrNoLandlock) }
