package config

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
)

// A checker compares one value with another. It leaves alone what depends on a
// value that could not be read.
type checker struct {
	*report
	c     *Config
	names map[string]int // index of every device
}

// check finds what is wrong in a decoded configuration.
func check(r *report, c *Config) {
	k := &checker{report: r, c: c, names: map[string]int{}}
	if len(c.Devices) == 0 && k.fine("device") {
		k.wrong("device", `add [[device]] with name = "tun0"`, "there is no device")
	}
	for i := range c.Devices {
		k.device(elem("device", i+1), i)
	}
	for i := range c.Devices {
		k.forward(elem("device", i+1), &c.Devices[i])
	}
	k.scripts()
	k.impair()
	k.host()
	k.services()
}

// wrong reports a value; misplaced a key that should not be there.
func (k *checker) wrong(key, hint, format string, args ...any) {
	k.add(k.src.atValue(key, fmt.Sprintf(format, args...), hint), key)
}

func (k *checker) misplaced(key, hint, format string, args ...any) {
	k.add(k.src.atKey(key, fmt.Sprintf(format, args...), hint), key)
}

// fine reports whether keys hold what was written for them.
func (k *checker) fine(keys ...string) bool {
	return !slices.ContainsFunc(keys, func(key string) bool { return k.bad[key] })
}

// untouched reports whether nothing below a key is wrong.
func (k *checker) untouched(key string) bool {
	for bad := range k.bad {
		if strings.HasPrefix(bad, key) {
			return false
		}
	}
	return true
}

// forward checks the way out of a device's packets.
func (k *checker) forward(key string, d *Device) {
	key = join(key, "forward")
	if d.Forward == "" || !k.fine(key) {
		return
	}
	if d.Forward == d.Name {
		k.wrong(key, "leave it out, or name the other device", "%q forwards to itself", d.Name)
		return
	}
	k.exists(key, d.Forward)
}

// exists reports a name that no device has.
func (k *checker) exists(key, name string) bool {
	if _, ok := k.names[name]; ok {
		return true
	}
	var names []string
	for i, d := range k.c.Devices {
		names = append(names, d.Name)
		if key := elem("device", i+1); !k.fine(key, key+".name") {
			return true // it may be this one
		}
	}
	if !k.fine("device") {
		return true
	}
	hint := didYouMean(name, names)
	if hint == "" && len(names) > 0 {
		hint = "there is " + strings.Join(names, ", ")
	}
	k.wrong(key, hint, "there is no device %q", name)
	return false
}

// devices checks a list of names of devices.
func (k *checker) devices(key string, names []string) {
	for i, name := range names {
		at := elem(key, i+1)
		if !k.fine(at) {
			continue
		}
		if slices.Index(names, name) < i {
			k.wrong(at, "", "%q is in the list twice", name)
			continue
		}
		k.exists(at, name)
	}
}

func (k *checker) scripts() {
	names := map[string]string{}
	for i, s := range k.c.Scripts {
		key := elem("script", i+1)
		if !k.fine(key) {
			continue
		}
		if s.Path == "" && k.fine(key+".path") {
			k.wrong(key+".path", `add path = "FILE.lua"`, "a script needs a path")
		}
		if first, twice := names[s.Name]; twice && s.Name != "" {
			k.wrong(key+".name", "names tell scripts apart in logs and counters", "%s has this name, too", first)
		} else {
			names[s.Name] = key
		}
		k.devices(key+".devices", s.Devices)
		for j, name := range s.Shared {
			at := elem(key+".shared", j+1)
			switch {
			case !k.fine(at):
			case name == "":
				k.wrong(at, "", "a dictionary needs a name")
			case slices.Index(s.Shared, name) < j:
				k.wrong(at, "", "%q is in the list twice", name)
			}
		}
	}
}

// host checks [host]: loop lays the path between two addresses of this host
// through two kernel devices, so both need one, of the same family.
func (k *checker) host() {
	loop := k.c.Host.Loop
	kernel := func(d Device) bool { return d.Kind == TUN || d.Kind == TAP }
	if k.c.Host.Masquerade && k.fine("device") && !slices.ContainsFunc(k.c.Devices, kernel) {
		k.wrong("host.masquerade", "", "there is no tun or tap device to masquerade for")
	}
	if len(loop) == 0 || !k.fine("host.loop") {
		return
	}
	if len(loop) != 2 {
		k.wrong("host.loop", `such as ["tun0", "tun1"]`, "wants two devices, not %d", len(loop))
		return
	}
	if loop[0] == loop[1] {
		k.wrong("host.loop[2]", "name the other one", "%q is in the list twice", loop[0])
		return
	}
	families := make([]map[bool]bool, 2)
	for i, name := range loop {
		at := elem("host.loop", i+1)
		if !k.exists(at, name) {
			return
		}
		n, ok := k.names[name]
		if !ok || !k.untouched(elem("device", n+1)+".") {
			return
		}
		d := k.c.Devices[n]
		if !kernel(d) {
			k.wrong(at, "name a tun or tap device", "%q is a %s device, which this host does not route to", name, d.Kind)
			return
		}
		families[i] = map[bool]bool{}
		for _, a := range d.Address {
			families[i][a.Addr().Is4()] = true
		}
		if len(d.Address) == 0 {
			k.wrong(at, "give it an address", "%q has no address to be reached by", name)
			return
		}
	}
	if !families[0][true] && !families[1][false] || !families[0][false] && !families[1][true] {
		k.wrong("host.loop", "give both IPv4 or both IPv6", "%q and %q have no address family in common", loop[0], loop[1])
	}
}

// services checks what others connect to, and the file that is written.
func (k *checker) services() {
	const pathMax = 107 // sun_path, less its NUL
	switch socket := k.c.Control.Socket; {
	case socket == "":
	case socket[0] == '@':
		k.wrong("control.socket", "name a file", "an abstract socket has no mode, so anybody could open it")
	case strings.HasSuffix(socket, "/"):
		k.wrong("control.socket", "name a file in it", "is a folder")
	case len(socket) > pathMax:
		k.wrong("control.socket", "such as \"/run/tunscript.sock\"", "is %d bytes long, and the kernel takes %d", len(socket), pathMax)
	}
	if listen := k.c.Metrics.Listen; listen != (netip.AddrPort{}) && !listen.Addr().IsLoopback() {
		hint := fmt.Sprintf("did you mean %q?", netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), listen.Port()))
		k.wrong("metrics.listen", hint, "%s is not a loopback address: anybody could read it", listen.Addr())
	}
	file := k.c.Engine.Errors
	if file == "" {
		return
	}
	for _, d := range k.c.Devices {
		if d.Path != "" && filepath.Clean(d.Path) == filepath.Clean(file) {
			k.wrong("engine.errors", "name another file", "would overwrite the capture that %q reads", d.Name)
			return
		}
	}
}
