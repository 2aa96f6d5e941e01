package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// device checks one device by itself, and its name against those before it.
func (k *checker) device(key string, i int) {
	if !k.fine(key) {
		return
	}
	d := &k.c.Devices[i]
	k.name(key+".name", d, i)
	if k.fine(key + ".kind") {
		k.kind(key, d)
		k.mtu(key+".mtu", d)
		k.addresses(key, d)
		k.routes(key+".route", i)
		switch d.Kind {
		case UDP, TCP:
			k.link(key, i)
		case PCAP:
			if d.Path == "" && k.fine(key+".path") {
				k.wrong(key+".path", `add path = "FILE.pcap"`, "a pcap device needs a path")
			}
		}
	}
	if d.Queues > k.c.Engine.Workers && k.fine(key+".queues", "engine.workers") {
		k.wrong(key+".queues", fmt.Sprintf("set workers = %d in [engine], or leave queues out", d.Queues),
			"%d queues, but only %d to read them", d.Queues, k.c.Engine.Workers)
	}
	if d.MAC != nil && bytes.Equal(d.MAC, d.PeerMAC) && k.fine(key+".mac", key+".peer_mac") {
		k.wrong(key+".mac", "give the host and the script one each", "%s is peer_mac, too", d.MAC)
	}
}

// name checks a name by the kernel's rules (dev_valid_name and
// dev_alloc_name in net/core/dev.c), for every kind: any may become a TUN
// device in the next version of the file.
func (k *checker) name(key string, d *Device, i int) {
	const longest = 15 // IFNAMSIZ, less its NUL
	if !k.fine(key) {
		return
	}
	n := d.Name
	bad := func(hint, format string, args ...any) { k.wrong(key, hint, format, args...) }
	switch first, twice := k.names[n]; {
	case n == "":
		bad(`add name = "tun0", or "tun%d" for the next free number`, "a device needs a name")
	case len(n) > longest:
		bad("did you mean "+fmt.Sprintf("%q?", strings.ToValidUTF8(n[:longest], "")), "%q is %d bytes long, and the kernel takes %d", n, len(n), longest)
	case n == "." || n == "..":
		bad("", "%q cannot be a name", n)
	case n == "lo" || n == "all" || n == "default":
		bad("choose another", "%q has a meaning of its own on every host", n)
	case strings.ContainsFunc(n, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '/' || r == ':' }) ||
		strings.IndexByte(n, 0xa0) >= 0: // isspace() of the kernel is Latin-1
		bad("use letters, digits, - and _", "%q has a character that the kernel refuses", n)
	case strings.Contains(n, "%") && (strings.Count(n, "%") > 1 || !strings.Contains(n, "%d")):
		bad(`such as "tun%d"`, "%q may have one %%d, for a number, and no other %%", n)
	case strings.Contains(n, "%") && d.Kind != TUN && d.Kind != TAP:
		bad("write the number", "only the kernel numbers devices, and %q is not one of its own", d.Kind)
	case strings.Contains(n, "%") && d.Persist:
		bad("write the number", "a pattern makes another persistent device at every start")
	case twice:
		bad("", "%s has this name, too", elem("device", first+1))
	default:
		k.names[n] = i
	}
}

// takers returns the kinds that take a key, nil for all.
func takers(key string) []Kind {
	switch key {
	case "route", "owner", "group", "queues", "persist", "manage", "pi", "txqueuelen", "offload":
		return []Kind{TUN, TAP}
	case "on_lost":
		return []Kind{TUN, TAP, UDP, TCP}
	case "mac", "peer_mac":
		return []Kind{TAP, PCAP, UDP, TCP}
	case "path":
		return []Kind{PCAP}
	case "local", "remote", "link", "insecure":
		return []Kind{UDP, TCP}
	case "cert", "key", "ca":
		return []Kind{TCP}
	}
	return nil
}

// kind reports the keys that this kind of device does not take.
func (k *checker) kind(key string, d *Device) {
	written, unset := reflect.ValueOf(d).Elem(), reflect.ValueOf(DefaultDevice())
	for i, name := range keysOf(written.Type()) {
		at := join(key, name)
		if !k.src.has(at) && reflect.DeepEqual(written.Field(i).Interface(), unset.Field(i).Interface()) {
			continue
		}
		if kinds := takers(name); kinds != nil && !slices.Contains(kinds, d.Kind) {
			k.misplaced(at, "it belongs to kind = "+alternatives(kinds), "a %s device has no %s", d.Kind, name)
		} else if strings.HasSuffix(name, "mac") && slices.Contains(takers("link"), d.Kind) &&
			d.Link == LinkIP && k.fine(key+".link") {
			k.misplaced(at, `set link = "ethernet"`, "a link that carries IP has no %s", name)
		}
	}
}

// alternatives lists words: "a", "b" or "c".
func alternatives[S ~string](words []S) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", w)
	}
	return b.String()
}

// mtu checks the upper bound, which depends on what lies around the packet, and
// the lower one of IPv6 (RFC 8200 5): below it the kernel takes the addresses
// away.
func (k *checker) mtu(key string, d *Device) {
	const ethernet, datagram, least = 14, 65507, 1280
	most := 65535
	if d.Kind == UDP {
		most = datagram // what fits behind IPv4 and UDP headers
	}
	if d.Kind == TAP || ((d.Kind == UDP || d.Kind == TCP) && d.Link == LinkEthernet) {
		most -= ethernet
	}
	if !k.fine(key) {
		return
	}
	if d.MTU > most {
		k.wrong(key, "", "%d is out of range, 68 to %d for %s", d.MTU, most, d.Kind)
		return
	}
	if d.Kind != TUN && d.Kind != TAP || d.MTU >= least {
		return
	}
	for _, p := range append(slices.Clone(d.Address), d.Route...) {
		if p.Addr().Is6() {
			k.wrong(key, "", "%d is too small for IPv6 (%s), which needs %d", d.MTU, p, least)
			return
		}
	}
}
