package tundev

import (
	"context"
	"net/netip"

	"github.com/tunscript/tunscript/engine/packet"
)

// Kind says what a device carries.
type Kind string

// The kinds of device that this package makes. An empty Kind is TUN.
const (
	TUN Kind = "tun" // IP packets
	TAP Kind = "tap" // Ethernet frames
)

// link is the kind in the words of packets.
func (k Kind) link() packet.LinkType {
	if k == TAP {
		return packet.Ethernet
	}
	return packet.IP
}

// Offload says how much work is shared with the kernel.
type Offload string

// How super-packets are used. An empty Offload is OffloadAuto.
const (
	// OffloadAuto has the kernel hand over up to 64 KiB of TCP and UDP segments as one
	// super-packet, with checksums unfinished, and takes them back so; TCP segments that
	// were changed are joined again.
	OffloadAuto Offload = "auto"
	// OffloadMax joins equal-sized datagrams of a flow, too: faster still, but what
	// looks at the device, such as tcpdump and nft, sees one large one.
	OffloadMax Offload = "max"
	OffloadOff Offload = "off" // no vnet header at all: packets come one by one
)

// Config is a device, key for key as in a [[device]] of the configuration file. A
// zero field is the default.
type Config struct {
	// Name is at most 15 bytes; one %d in it, as in "tun%d", is the next free number.
	// Empty, the kernel chooses: "tun0", "tap0" and so on. What it became is in Info.
	Name string
	Kind Kind // TUN

	// Address is the host's side, the networks of which are then reached through the
	// device. Peer is the far side, where the packets that a script builds come from:
	// with an Address of one host (/32, /128) the first Peer of its family is the
	// other end of it, and gets a route.
	Address []netip.Prefix
	Peer    []netip.Addr
	MAC     packet.MAC // the host's, on TAP; zero: the kernel's choice
	PeerMAC packet.MAC // the far side's, on TAP; zero: 02:00:00:00:00:02
	MTU     int        // of an IP packet, in bytes; 0: 1500
	Route   []netip.Prefix

	// TxQueueLen is how many packets the kernel keeps for a reader that is behind,
	// before it drops; nothing else does. 0 is DefaultTxQueueLen. For a Pipe it is
	// the room of each direction, and 0 is 500.
	TxQueueLen int

	// Persist makes a device that is created outlive its descriptor and the process.
	// Owner and Group, names or numbers, may then attach to it without
	// CAP_NET_ADMIN.
	Persist bool
	Owner   string
	Group   string

	// Manage sets address, MTU and the rest also on a device that was there before,
	// and Close puts back what was changed. Else only a device that is created is
	// set up.
	Manage bool

	// Reopen opens the device again after it was lost, and returns as many descriptors
	// as FromFD took: for a process that may not do that itself, and has another that
	// may. It must return soon after ctx ends. nil: what Open opened is opened as Open
	// did, and what FromFD took over stays lost.
	Reopen func(ctx context.Context) (fds []int, err error)

	// Queues is how many queues the device has, each for a worker of the engine, at most
	// 256; 0 is 1. The kernel chooses one for each flow: the one that the flow was last
	// written to, for 3 s, else by a hash. One that was there before must have been made
	// for several (IFF_MULTI_QUEUE).
	Queues  int
	Offload Offload // OffloadAuto
	PI      bool    // each packet begins with the four bytes of struct tun_pi, as on BSD; then offload is off
}

// What is not said in a Config.
const (
	DefaultMTU = 1500 // the kernel's own

	// DefaultTxQueueLen is twice the kernel's own 500, which a worker that pauses for
	// one millisecond at 500,000 packets per second has lost.
	DefaultTxQueueLen = 1000
)

// Locally administered addresses: the far side's on a TAP device, and the near one's
// where there is no kernel to choose.
var (
	defaultPeerMAC = packet.MAC{2, 0, 0, 0, 0, 2}
	defaultMAC     = packet.MAC{2, 0, 0, 0, 0, 1}
)
