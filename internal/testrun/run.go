package testrun

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// A run is one test in its engine.
type run struct {
	file    *file
	eng     *engine.Engine
	devices []string // of the script under test
	options map[string]any
	known   map[string]bool // options that the scripts have declared
	log     []string
	virtual time.Duration
	over    bool
	err     error
	failed  error // of a script, not of the test itself
}

// beyond is further than any test's clock goes.
const beyond = 100 * 365 * 24 * time.Hour

// The addresses are a lab's: the host, which the test is, and the script.
var (
	host = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")}
	peer = []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8::2/64")}
)

// wireOf is what the engine calls the far end of a device.
func wireOf(device string) string { return device + ".wire" }

// A renamed is a device by another name: both ends of a pipe are devices of one engine.
type renamed struct {
	engine.Device
	name string
}

func (d renamed) Info() engine.Info {
	info := d.Device.Info()
	info.Name = d.name
	return info
}

// engine makes the engine of a test, with the pipes that t:load chooses from.
func (r *run) engine() (*engine.Engine, error) {
	c := engine.Config{
		Clock: engine.Virtual(time.Unix(0, 0)), Seed: cmp.Or(r.file.opt.Seed, 1),
		Observer: engine.ObserverFunc(r.observe),
	}
	var wires []string
	for _, kind := range []tundev.Kind{tundev.TUN, tundev.TAP} {
		for i := range 2 {
			near, far := host, peer
			if i == 1 {
				near, far = peer, host
			}
			pc := tundev.Config{Name: fmt.Sprintf("%s%d", kind, i), Kind: kind, Address: near}
			for _, a := range far {
				pc.Peer = append(pc.Peer, a.Addr())
			}
			dev, wire := tundev.Pipe(pc)
			c.Devices = append(c.Devices, engine.DeviceConfig{Device: dev}, engine.DeviceConfig{Device: renamed{wire.Device(), wireOf(pc.Name)}, Apart: true})
			wires = append(wires, wireOf(pc.Name))
		}
	}
	c.Programs = []engine.ProgramConfig{{Program: r.file.script, Devices: wires}}
	return engine.New(c)
}

// play runs the test to its end and says why it failed.
func (r *run) play() error {
	var err error
	if r.eng, err = r.engine(); err != nil {
		return err
	}
	limit := cmp.Or(r.file.opt.Timeout, 10*time.Second)
	late := false
	watchdog := time.AfterFunc(limit, func() {
		late = true
		r.eng.Close()
	})
	err = r.eng.Advance(beyond)
	watchdog.Stop()
	r.eng.Close()
	switch {
	case r.over:
		return because(r.err, r.failed)
	case err != nil && !errors.Is(err, engine.ErrStopped):
		return err
	case late:
		return fmt.Errorf("the test takes more than %v of real time: is there an endless loop of timers?", limit)
	}
	return cmp.Or(r.failed, errors.New("the test waits for something that never comes: give recv or expect a time"))
}

// ended is told by the test. The run stops after the step in hand.
func (r *run) ended(s *engine.Scope, err error) {
	if !r.over {
		r.over, r.err = true, err
		r.virtual = s.Now().Sub(time.Unix(0, 0))
		s.Stop(0)
	}
}

// observe hears of what fails in a script: the test fails with it.
func (r *run) observe(e *engine.Event) {
	if e.Kind == engine.Failed && r.failed == nil {
		r.failed = fmt.Errorf("a script failed: %w", e.Err)
	}
}

// load is t:load.
func (r *run) load(s *engine.Scope, path string, o luabind.TestLoad, then func()) error {
	script, err := r.file.underTest(path)
	if err != nil {
		return err
	}
	kind := "tun"
	if o.TAP {
		kind = "tap"
	}
	r.devices = []string{kind + "0"}
	if o.Pair {
		r.devices = append(r.devices, kind+"1")
		err = errors.Join(s.Forward(kind+"0", kind+"1"), s.Forward(kind+"1", kind+"0"))
	}
	if err = errors.Join(err, s.SetHome(wireOf(r.devices[0]))); err != nil {
		return err
	}
	r.options, r.known = o.Options, map[string]bool{}
	if err := s.Load(engine.ProgramConfig{Program: script, Devices: r.devices}, then); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(o.Options)) {
		if !r.known[name] {
			return fmt.Errorf("%s has no option %q%s", script.Name(), name, r.suggest(name))
		}
	}
	return nil
}

func (r *run) suggest(name string) string {
	words := slices.Sorted(maps.Keys(r.known))
	if near := config.Nearest(name, words); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(words) == 0 {
		return ""
	}
	return "; it has " + strings.Join(words, ", ")
}

// option answers the script under test: what the test has set goes first.
func (r *run) option(o luabind.Option) (any, bool) {
	if r.known != nil {
		r.known[o.Name] = true
	}
	if v, ok := r.options[o.Name]; ok {
		return v, true
	}
	if r.file.opt.Option != nil {
		return r.file.opt.Option(o)
	}
	return nil, false
}

// wire is the far end of a device of the script under test.
func (r *run) wire(device string) (string, error) {
	switch {
	case len(r.devices) == 0:
		return "", errors.New("no script is loaded: t:load comes first")
	case device == "":
		return wireOf(r.devices[0]), nil
	case !slices.Contains(r.devices, device):
		return "", fmt.Errorf("the script has no device %q: it has %s (two with t:load(path, { pair = true }))", device, strings.Join(r.devices, ", "))
	}
	return wireOf(device), nil
}
