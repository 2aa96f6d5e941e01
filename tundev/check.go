package tundev

import (
	"fmt"
	"strings"

	"github.com/tunscript/tunscript/engine/packet"
)

// The range of an MTU: an IPv4 header with options and eight bytes (RFC 791), and
// what a 16-bit length counts, less Ethernet's header on TAP.
const (
	minMTU    = 68
	maxMTU    = 65535
	etherLen  = 14
	maxQueues = 256
)

// check refuses what is wrong whatever the host has, before anything is opened.
func (c Config) check() error {
	wrong := func(key, fix string, args ...any) error {
		return &Error{Op: "set " + key, Device: c.Name, Kind: ErrBadConfig, Fix: fmt.Sprintf(fix, args...)}
	}
	most := maxMTU
	if c.Kind == TAP {
		most -= etherLen
	}
	switch {
	case c.Kind != "" && c.Kind != TUN && c.Kind != TAP:
		return wrong("kind", "%q is neither %q nor %q", c.Kind, TUN, TAP)
	case c.MTU != 0 && (c.MTU < minMTU || c.MTU > most):
		return wrong("mtu", "%d is out of range, %d to %d", c.MTU, minMTU, most)
	case c.TxQueueLen < 0:
		return wrong("txqueuelen", "%d is no number of packets", c.TxQueueLen)
	case c.Kind != TAP && c.MAC != packet.MAC{}:
		return wrong("mac", "a TUN device carries IP packets and has no MAC: leave it out, or use TAP")
	case c.Kind != TAP && c.PeerMAC != packet.MAC{}:
		return wrong("peer_mac", "a TUN device carries IP packets and has no MAC: leave it out, or use TAP")
	case c.MAC.IsGroup(), c.PeerMAC.IsGroup():
		return wrong("mac", "an address of one device has an even first byte, as 02:00:00:00:00:01")
	case c.Queues < 0 || c.Queues > maxQueues:
		return wrong("queues", "%d is out of range, 1 to %d", c.Queues, maxQueues)
	case c.Offload != "" && c.Offload != OffloadAuto && c.Offload != OffloadMax && c.Offload != OffloadOff:
		return wrong("offload", "%q is none of %q, %q and %q", c.Offload, OffloadAuto, OffloadMax, OffloadOff)
	case c.Persist && strings.Contains(c.Name, "%"), c.Persist && c.Name == "":
		return wrong("persist", "give it a name without %%d: else every start makes another device that stays")
	}
	if why := badName(c.Name); why != "" {
		return &Error{Op: "open", Device: c.Name, Kind: ErrBadName, Fix: why}
	}
	return nil
}

// badName applies the kernel's rules (dev_valid_name and dev_alloc_name in
// net/core/dev.c), and says what is wrong; "" if nothing is. The kernel would cut a
// name that is too long without a word.
func badName(n string) string {
	const longest = 15           // IFNAMSIZ, less its NUL
	space := func(b byte) bool { // isspace() of the kernel is Latin-1
		return b <= ' ' || b == 0x7f || b == 0xa0
	}
	switch {
	case len(n) > longest:
		return fmt.Sprintf("it has %d bytes and the kernel takes %d", len(n), longest)
	case n == "." || n == "..":
		return "that is a folder"
	case strings.ContainsAny(n, "/:"):
		return "the kernel refuses / and :"
	case strings.Count(n, "%") > 1, strings.Contains(n, "%") && !strings.Contains(n, "%d"):
		return `one %d is the place of a number, as in "tun%d", and there may be no other %`
	}
	for i := range len(n) {
		if space(n[i]) {
			return "the kernel refuses blanks and control characters"
		}
	}
	return ""
}
