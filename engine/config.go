package engine

import (
	"cmp"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"github.com/tunscript/tunscript/engine/shared"
)

// Config is everything an engine is made of. It mirrors the configuration file,
// key for key.
type Config struct {
	Devices  []DeviceConfig
	Programs []ProgramConfig
	Impair   []ImpairConfig

	// Workers is how many goroutines share the work, 1 to MaxWorkers; 0 is 1. Each runs an
	// instance of every program. A virtual clock takes one.
	Workers int

	Shared   shared.Limits // of each program's dictionaries, and of each that several share
	OnError  OnError       // of handlers that do not say themselves; zero: drop
	Flows    int           // most flows held, a part by each worker; 0: flow.DefaultLimit
	Held     int           // most packets that faults hold, likewise; 0: DefaultHeld
	Seed     uint64        // decides all chance; 0: from the system
	Clock    Clock         // zero: the system's
	Wait     Wait          // zero: polite
	Observer Observer      // one from the start; more with Engine.Observe
	Log      *slog.Logger  // nil: nothing is logged
}

// DeviceConfig is a device and what the engine does with it.
type DeviceConfig struct {
	Device  Device
	Forward string // name of the device that passed packets leave by; "": nowhere
	OnLost  OnLost // zero: wait until it is back

	// Apart says that the device is the far end of another one of this engine, as in a
	// test: its packets are met a second time, and have no flow there and no rules.
	Apart bool
}

// ProgramConfig is a program and where it stands.
type ProgramConfig struct {
	Program      Program
	Devices      []string // names of its devices; nil: all
	Prio         int      // added to the prio of each of its handlers
	OnError      OnError  // of its handlers; zero: the engine's
	DisableAfter int      // failures within 64 packets that switch a handler off; 0: 8, negative: never
	Confined     bool     // its Stop ends it alone, not the run: one that is not trusted, among several
	Shared       []string // names of dictionaries that are the same for all programs that name them

	own *own // its dictionaries and flows
}

const defaultDisableAfter = 8

// A ConfigError says what is wrong in a Config, and where.
type ConfigError struct {
	Where string // "device tun0", "program gate"
	Err   error
}

func (e *ConfigError) Error() string { return e.Where + ": " + e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// check looks at all of the configuration and gives devices and programs in the
// form the engine keeps.
func (c *Config) check() ([]*device, []ProgramConfig, error) {
	switch {
	case c.Workers < 0 || c.Workers > MaxWorkers:
		return nil, nil, &ConfigError{"workers", fmt.Errorf("%d is out of range, 1 to %d", c.Workers, MaxWorkers)}
	case c.Workers > 1 && c.Clock.virtual:
		return nil, nil, &ConfigError{"workers", fmt.Errorf("a virtual clock takes one worker: a run of %d is not repeatable", c.Workers)}
	}
	devices := make([]*device, 0, len(c.Devices))
	for i, d := range c.Devices {
		if isNil(d.Device) {
			return nil, nil, &ConfigError{fmt.Sprintf("device %d", i+1), fmt.Errorf("Device is nil: open one with tundev.Open or tundev.Pipe")}
		}
		name := d.Device.Info().Name
		if name == "" {
			return nil, nil, &ConfigError{fmt.Sprintf("device %d", i+1), fmt.Errorf("it has no name: forward, filters and counters need one")}
		}
		if slices.ContainsFunc(devices, func(o *device) bool { return o.name == name }) {
			return nil, nil, &ConfigError{"device " + name, fmt.Errorf("two devices have this name: give each its own")}
		}
		devices = append(devices, &device{dev: d.Device, name: name, config: d, forward: -1})
	}
	for _, d := range devices {
		if d.config.Forward == "" {
			continue
		}
		d.forward = slices.IndexFunc(devices, func(o *device) bool { return o.name == d.config.Forward })
		if d.forward < 0 {
			return nil, nil, &ConfigError{"device " + d.name, fmt.Errorf("forward: no device %q: %s", d.config.Forward, names(devices))}
		}
	}
	programs := slices.Clone(c.Programs)
	for i := range programs {
		if err := programs[i].check(devices, programs[:i]); err != nil {
			return nil, nil, err
		}
	}
	return devices, programs, nil
}

func (pc *ProgramConfig) check(devices []*device, before []ProgramConfig) error {
	if isNil(pc.Program) {
		return &ConfigError{fmt.Sprintf("program %d", len(before)+1), fmt.Errorf("Program is nil: load one with luabind.Load or make one with engine.ProgramFunc")}
	}
	fail := func(format string, args ...any) error {
		return &ConfigError{"program " + pc.Program.Name(), fmt.Errorf(format, args...)}
	}
	if err := identity(pc.Program); err != nil {
		return err
	}
	for _, o := range before {
		if o.Program == pc.Program {
			return fail("it stands twice: load it twice to run it twice")
		}
	}
	if pc.Prio < MinPrio || pc.Prio > MaxPrio {
		return fail("prio is %d, want %d to %d", pc.Prio, MinPrio, MaxPrio)
	}
	for _, name := range pc.Devices {
		if !slices.ContainsFunc(devices, func(d *device) bool { return d.name == name }) {
			return fail("no device %q: %s", name, names(devices))
		}
	}
	if pc.own == nil {
		pc.own = new(own)
	}
	pc.DisableAfter = cmp.Or(pc.DisableAfter, defaultDisableAfter)
	return nil
}

// identity refuses a program that == does not tell from others.
func identity(p Program) error {
	if reflect.TypeOf(p).Comparable() {
		return nil
	}
	return &ConfigError{"program " + p.Name(), fmt.Errorf("it cannot be compared, and programs are told apart by identity: use a pointer")}
}

// isNil reports an interface that holds nothing, or a nil pointer: the result of
// a function whose error was not looked at.
func isNil(x any) bool {
	v := reflect.ValueOf(x)
	return !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil()
}

func names(devices []*device) string {
	if len(devices) == 0 {
		return "there is none"
	}
	all := make([]string, len(devices))
	for i, d := range devices {
		all[i] = d.name
	}
	return "there is " + strings.Join(all, ", ")
}
