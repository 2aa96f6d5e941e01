package host

import (
	"fmt"
	"net/netip"
)

// Kind names what a [Change] is about. The list is closed: what is read from a journal
// can be one of these and nothing else.
type Kind string

// The kinds of change.
const (
	KindMTU        Kind = "mtu"        // Number was the MTU
	KindTxQueueLen Kind = "txqueuelen" // Number was the length of the queue
	KindMAC        Kind = "mac"        // Text was the hardware address
	KindUp         Kind = "up"         // the link was down
	KindAddr       Kind = "address"    // Prefix, with Peer, was not there
	KindRoute      Kind = "route"      // nothing led to Prefix through the link
	KindLoop       Kind = "loop"       // Number is the routing table of a loop, which was free
	KindMasquerade Kind = "masquerade" // Text is the nftables table, which was not there
	KindSysctl     Kind = "sysctl"     // Path, below /proc/sys, said Text
)

// A Change is one thing that was made otherwise on this host, told by what it takes to
// put it back. It is data, so that it can be written down before the change is made
// and undone by another process: to undo one that was not made does no harm.
type Change struct {
	Kind   Kind   `json:"kind"`
	Device string `json:"device,omitempty"`
	// Index tells the device from another one of its name that came later; 0: not known.
	Index  int          `json:"index,omitempty"`
	Number int          `json:"number,omitempty"`
	Text   string       `json:"text,omitempty"`
	Path   string       `json:"path,omitempty"`
	Prefix netip.Prefix `json:"prefix,omitzero"`
	Peer   netip.Addr   `json:"peer,omitzero"`
}

// String says what undoing it does, as one would do it by hand.
func (c Change) String() string {
	switch c.Kind {
	case KindMTU:
		return fmt.Sprintf("ip link set %s mtu %d", c.Device, c.Number)
	case KindTxQueueLen:
		return fmt.Sprintf("ip link set %s txqueuelen %d", c.Device, c.Number)
	case KindMAC:
		return fmt.Sprintf("ip link set %s address %s", c.Device, c.Text)
	case KindUp:
		return fmt.Sprintf("ip link set %s down", c.Device)
	case KindAddr:
		return fmt.Sprintf("ip address del %s dev %s", Addr{Prefix: c.Prefix, Peer: c.Peer}, c.Device)
	case KindRoute:
		return fmt.Sprintf("ip route del %s dev %s", c.Prefix, c.Device)
	case KindLoop:
		return fmt.Sprintf("ip rule del pref 0 iif lo lookup %d, and the same with ip -6", c.Number)
	case KindMasquerade:
		return "nft delete table inet " + c.Text
	case KindSysctl:
		return fmt.Sprintf("echo %s > /proc/sys/%s", c.Text, c.Path)
	}
	return fmt.Sprintf("nothing: %q is no change that is known", string(c.Kind))
}
