package doctor

import (
	"errors"
	"net/netip"
	"runtime"
	"slices"

	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
)

// Question is what is asked. Its zero value: is something wrong with any device?
type Question struct {
	Device string // "": every TUN and TAP device
	Wants  []Want // what devices should be, by name, as far as known

	Ping   netip.Addr // what this host should reach through Device; zero: its peers
	From   netip.Addr // an address that the script's packets come from
	Beyond netip.Addr // what those packets should reach behind this host
}

// Want is what a device should be. A zero field is not known.
type Want struct {
	Device  string
	Kind    tundev.Kind
	Address []netip.Prefix
	Peer    []netip.Addr
	MTU     int
	Route   []netip.Prefix
}

// Finding is one thing that is wrong.
type Finding struct {
	Check   string `json:"check"` // its name: "down", "no route"
	Device  string `json:"device,omitempty"`
	Problem string `json:"problem"`
	// Fix are the commands that mend it, in order, as root would type them.
	Fix []string `json:"fix"`
	// Note: it is in nobody's way as far as can be seen, and may be.
	Note bool `json:"note,omitempty"`

	repair func(*host.Handle) error
}

// ErrByHand says that a finding takes somebody to decide, or a program to run on.
var ErrByHand = errors.New("this one is yours to do")

// Repair does what Fix says. Like the commands it needs CAP_NET_ADMIN or root.
func (f Finding) Repair() error {
	if f.repair == nil {
		return ErrByHand
	}
	runtime.LockOSThread() // the namespace is the thread's
	defer runtime.UnlockOSThread()
	h, err := host.Open()
	if err != nil {
		return err
	}
	defer h.Close()
	return f.repair(h)
}

// A view is the host, and one device of it, at one moment.
type view struct {
	q       Question
	h       *host.Handle
	links   []host.Link // all of them
	name    string      // of the device; "" in checks of the host
	link    host.Link   // it; the zero Link if it is missing
	want    Want
	holders []host.Holder
}

func (v *view) there() bool { return v.link.Index != 0 }

func (v *view) finding(check, problem string, repair func(*host.Handle) error, fix ...string) Finding {
	return Finding{Check: check, Device: v.name, Problem: problem, Fix: fix, repair: repair}
}

// The checks, in the order in which things are mended.
var (
	ofHost   = []func(*view) ([]Finding, error){checkNode, checkLeftover}
	ofDevice = []func(*view) ([]Finding, error){
		checkMissing, checkCapability, checkHolder, checkDown, checkCarrier, checkMTU,
		checkSwapped, checkAddress, checkOwn, checkRoute, checkFilter, checkForwarding,
	}
)

// Examine looks at the devices that q names, in the network namespace of the calling
// thread, and at what they need. Nothing found is nil: all is well.
func Examine(q Question) (found []Finding, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	h, err := host.Open()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	v := &view{q: q, h: h}
	if v.links, err = h.Links(); err != nil {
		return nil, err
	}
	run := func(checks []func(*view) ([]Finding, error)) error {
		for _, check := range checks {
			list, err := check(v)
			if err != nil {
				return err
			}
			found = append(found, list...)
		}
		return nil
	}
	if err := run(ofHost); err != nil {
		return nil, err
	}
	for _, name := range v.devices() {
		v.look(name)
		checks := ofDevice
		if v.there() && !isTuntap(v.link) {
			checks = checks[:1] // what is wrong with another kind of device is not ours to say
		}
		if err := run(checks); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// devices are the names that q is about.
func (v *view) devices() (names []string) {
	if v.q.Device != "" {
		return []string{v.q.Device}
	}
	names = v.tuntaps()
	for _, w := range v.q.Wants {
		if !slices.Contains(names, w.Device) {
			names = append(names, w.Device)
		}
	}
	return names
}

// tuntaps are the names of the TUN and TAP devices that are there.
func (v *view) tuntaps() (names []string) {
	for _, l := range v.links {
		if isTuntap(l) {
			names = append(names, l.Name)
		}
	}
	return names
}

func isTuntap(l host.Link) bool {
	return l.Kind == string(tundev.TUN) || l.Kind == string(tundev.TAP)
}

// look makes name the device of the view.
func (v *view) look(name string) {
	v.name, v.link, v.want, v.holders = name, host.Link{}, Want{}, nil
	if i := slices.IndexFunc(v.links, func(l host.Link) bool { return l.Name == name }); i >= 0 {
		v.link = v.links[i]
		v.holders, _ = host.Holders(name) // those that we may see
	}
	if i := slices.IndexFunc(v.q.Wants, func(w Want) bool { return w.Device == name }); i >= 0 {
		v.want = v.q.Wants[i]
		return
	}
	for _, h := range v.holders { // a run and its keeper may both have it open
		if w := told(h.PID, name); w.Device != "" {
			v.want = w
		}
	}
}

// targets are the addresses that this host should reach through the device.
func (v *view) targets() (list []netip.Addr) {
	if v.q.Ping.IsValid() {
		return []netip.Addr{v.q.Ping}
	}
	for _, a := range v.link.Addrs {
		if a.Peer.IsValid() {
			list = append(list, a.Peer)
		}
	}
	for _, p := range v.want.Peer {
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}
