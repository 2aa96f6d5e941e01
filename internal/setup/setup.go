// Package setup makes an engine of a configuration: it loads the scripts, opens
// the devices and hands both over, the same way for every verb.
//
// It knows packages config, engine, luabind and tundev, and is the only place
// that knows all of them. What the configuration may say and this version cannot
// do is refused here, at the key's place in the file.
package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/engine/shared"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/vm"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/link"
)

// Options are what is not in a configuration.
type Options struct {
	Log      *slog.Logger
	Trusted  bool      // every script
	Settings *Settings // of options; nil: none but the file's
	Host     *Host     // opens the devices of this host; nil: nobody else's rights are needed
	// Read is told of every file that a script, by its number, is made of: its own, and
	// what it requires, before it is read and whether it is there or not; nil: nobody is
	// told. It may be called from several goroutines.
	Read func(script int, path string)

	checking bool // no script will run, so a file of tests may be among them
}

// Scripts loads every script of c, and a program behind them that sees to it that what is
// set is somebody's option. A mistake in a script is a *luabind.ScriptError.
func Scripts(c *config.Config, opt Options) ([]engine.ProgramConfig, error) {
	var programs []engine.ProgramConfig
	var names []string
	settings := opt.Settings
	if settings == nil {
		settings, _ = ParseSettings(nil)
	}
	opt.Settings = settings
	for i, s := range c.Scripts {
		script, err := Script(c, i, opt)
		if err != nil {
			return nil, err
		}
		names = append(names, script.Name())
		programs = append(programs, engine.ProgramConfig{
			Program: script, Devices: s.Devices, Prio: s.Prio,
			OnError: onError[s.OnError], DisableAfter: disableAfter(s.DisableAfter),
			Shared: s.Shared, Confined: len(c.Scripts) > 1 && !s.Trusted && !opt.Trusted,
		})
	}
	return append(programs, engine.ProgramConfig{Program: settings.program(c, names)}), nil
}

// Script loads the script c.Scripts[i], as Scripts does, from its file as it is now.
func Script(c *config.Config, i int, opt Options) (*luabind.Script, error) {
	s := c.Scripts[i]
	settings := opt.Settings
	if settings == nil {
		settings, _ = ParseSettings(nil)
	}
	read := opt.read(i)
	read(s.Path)
	script, err := luabind.Load(s.Path, luabind.Options{
		Name:    cmp.Or(s.Name, strings.TrimSuffix(filepath.Base(s.Path), ".lua")),
		Trusted: s.Trusted || opt.Trusted,
		Log:     scriptLog(opt.Log),
		Option:  settings.of(s),
		Test:    opt.tests(s.Path),
		Read:    read,
		Tasks:   c.Limits.Tasks, Timers: c.Limits.Timers, Held: c.Limits.Held,
		Limits: vm.Limits{
			Instructions: int(c.Limits.Instructions), LoadInstructions: int(c.Limits.LoadInstructions),
			Memory: int(c.Limits.Memory), String: int(c.Limits.String), Coroutines: c.Limits.Coroutines,
		},
	})
	if err != nil {
		var se *luabind.ScriptError
		if errors.As(err, &se) {
			return nil, err
		}
		e := c.Mistake(fmt.Sprintf("script[%d].path", i+1), err)
		if e.File == "" {
			e.Key = "" // it was named in the arguments
		}
		return nil, e
	}
	return script, nil
}

// read is Read for script i.
func (opt Options) read(i int) func(string) {
	if opt.Read == nil {
		return func(string) {}
	}
	return func(path string) { opt.Read(i, path) }
}

// tests makes a file of tests load where nothing will run; nil of any other script.
func (opt Options) tests(path string) *luabind.Test {
	if !opt.checking || !strings.HasSuffix(path, "_test.lua") {
		return nil
	}
	return &luabind.Test{Found: func(string, int) {}}
}

var onError = map[config.OnError]engine.OnError{
	config.OnErrorDrop: engine.OnErrorDrop, config.OnErrorPass: engine.OnErrorPass, config.OnErrorStop: engine.OnErrorStop,
}

var onLost = map[config.OnLost]engine.OnLost{config.OnLostWait: engine.OnLostWait, config.OnLostStop: engine.OnLostStop}

// disableAfter is the engine's word for the file's: 0 there means never.
func disableAfter(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// scriptLog sends what scripts say to the log.
func scriptLog(log *slog.Logger) func(luabind.Level, string, string) {
	if log == nil {
		return nil
	}
	levels := map[luabind.Level]slog.Level{
		luabind.Debug: slog.LevelDebug, luabind.Info: slog.LevelInfo,
		luabind.Warn: slog.LevelWarn, luabind.Error: slog.LevelError,
	}
	return func(level luabind.Level, script, text string) {
		log.Log(context.Background(), levels[level], text, "script", script)
	}
}

// Engine returns the engine's part of c, without devices and programs.
func Engine(c *config.Config, opt Options) engine.Config {
	return engine.Config{
		Workers: c.Engine.Workers,
		OnError: onError[c.Engine.OnError],
		Shared:  shared.Limits{Entries: c.Limits.Shared, Bytes: int(c.Limits.Memory)},
		Flows:   c.Limits.Flows,
		Impair:  Faults(c),
		Held:    c.Limits.Held,
		Seed:    uint64(c.Engine.Seed),
		Log:     opt.Log,
	}
}

// Supported refuses what c asks for and nobody can do.
func Supported(c *config.Config) error {
	if all := faultMistakes(c); len(all) > 0 {
		return all
	}
	return nil
}

// Devices opens every device of c. If one fails those before it are closed.
func Devices(c *config.Config, opt Options) ([]engine.DeviceConfig, error) {
	return devices(c, func(i int, d config.Device) (engine.Device, error) {
		switch d.Kind {
		case config.PCAP:
			return openCapture(d)
		case config.UDP, config.TCP:
			return link.Open(Link(d, opt.Log))
		default:
			return opt.Host.open(i, tun(c, d))
		}
	})
}

// Pretend makes a device in memory for every device of c, with its name, kind,
// addresses and MTU: what a check starts programs on.
func Pretend(c *config.Config) ([]engine.DeviceConfig, error) {
	return devices(c, func(i int, d config.Device) (engine.Device, error) {
		tc := Tun(d)
		switch {
		case d.Kind == config.PCAP:
			tc.Kind = tundev.TUN
		case isLink(d):
			tc = pretendLink(d)
		}
		tc.Queues = 1 // a check has one worker
		dev, _ := tundev.Pipe(tc)
		return dev, nil
	})
}

func devices(c *config.Config, open func(int, config.Device) (engine.Device, error)) ([]engine.DeviceConfig, error) {
	var all []engine.DeviceConfig
	for i, d := range c.Devices {
		dev, err := open(i, d)
		if err != nil {
			Close(all)
			return nil, err
		}
		all = append(all, engine.DeviceConfig{Device: dev, Forward: forward(c, d), OnLost: onLost[d.OnLost]})
	}
	return all, nil
}

// forward is the device that d's packets leave by. What came out of one end of a loop
// goes into the other one.
func forward(c *config.Config, d config.Device) string {
	if d.Forward == "" && len(c.Host.Loop) == 2 {
		switch d.Name {
		case c.Host.Loop[0]:
			return c.Host.Loop[1]
		case c.Host.Loop[1]:
			return c.Host.Loop[0]
		}
	}
	return d.Forward
}

// Close closes devices that no engine has taken.
func Close(devices []engine.DeviceConfig) {
	for _, d := range devices {
		d.Device.Close()
	}
}

// Tun is a tun or tap device as package tundev takes it.
func Tun(d config.Device) tundev.Config {
	tc := tundev.Config{
		Name: d.Name, Kind: tundev.TUN,
		Address: d.Address, Peer: d.Peer, MTU: d.MTU, Route: d.Route,
		TxQueueLen: d.TxQueueLen, Persist: d.Persist, Owner: string(d.Owner), Group: string(d.Group),
		Manage: d.Manage, Queues: d.Queues, Offload: tundev.Offload(d.Offload), PI: d.PI,
	}
	if d.Kind == config.TAP {
		tc.Kind = tundev.TAP
		tc.MAC, tc.PeerMAC = mac(d.MAC), mac(d.PeerMAC)
	}
	return tc
}

// tun is Tun in a configuration, which says how many queues all are.
func tun(c *config.Config, d config.Device) tundev.Config {
	tc := Tun(d)
	tc.Queues = cmp.Or(d.Queues, c.Engine.Workers)
	return tc
}

func mac(hw []byte) (m packet.MAC) {
	copy(m[:], hw)
	return m
}

// ScriptConfig is a configuration that runs these scripts on all devices.
func ScriptConfig(c *config.Config, paths []string) {
	for _, path := range paths {
		s := config.DefaultScript()
		s.Path = filepath.Clean(path)
		c.Scripts = append(c.Scripts, s)
	}
}
