package link

import (
	"cmp"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// Kind says how packets travel.
type Kind string

// The kinds of link.
const (
	TCP Kind = "tcp" // in a stream, each behind its length
	UDP Kind = "udp" // each in a datagram
)

// Config is a link, key for key as in a [[device]] of the configuration file. A zero
// field is the default.
type Config struct {
	Name string // Kind, if empty
	Kind Kind   // required

	// Local is where a link waits for its peer. Remote, a name or an address with a
	// port, is where it looks for it. At least one is set. With both, a TCP link
	// connects from Local, and a UDP link listens to Remote alone.
	Local  netip.AddrPort
	Remote string

	Link    packet.LinkType // what is carried: packet.IP, the zero value, or packet.Ethernet
	MTU     int             // of an IP packet, in bytes; 0: 1500
	Address []netip.Prefix  // what Info says: nothing is set up anywhere
	Peer    []netip.Addr
	MAC     packet.MAC // on Ethernet; zero: 02:00:00:00:00:01
	PeerMAC packet.MAC // zero: 02:00:00:00:00:02

	// Cert and Key are files of this end's certificate and its key, CA one of those who
	// sign the other end's, all PEM. Each of Cert and CA turns TLS on, on a TCP link. An
	// end that waits wants a certificate of its peer that CA has signed. One that
	// connects verifies the name in Remote, and where CA is empty trusts whom the
	// system trusts.
	Cert, Key, CA string

	// Insecure lets anybody be the other end: a link without TLS may then wait on
	// another address than loopback, and with TLS every certificate will do, or none.
	Insecure bool

	// Once ends the device with its first peer. Otherwise the link waits for the next.
	Once bool

	// Stall is how long a peer on TCP may take over a frame that it has begun, from its
	// first byte to its last, and over reading what waits for it; 0: 10 s.
	Stall time.Duration
	Log   *slog.Logger // hears of peers that come and go; nil: nobody does
}

const (
	defaultMTU   = 1500
	defaultStall = 10 * time.Second

	minMTU   = 68    // RFC 791: an IPv4 header with options and eight bytes
	maxFrame = 65535 // what the length before a packet can say
	maxUDP   = 65507 // less the headers of IPv4 and UDP
	etherLen = 14
	tagsLen  = 2 * 4 // two VLAN tags are not part of the MTU
)

func (c Config) withDefaults() Config {
	c.Name = cmp.Or(c.Name, string(c.Kind))
	c.MTU = cmp.Or(c.MTU, defaultMTU)
	c.Stall = cmp.Or(c.Stall, defaultStall)
	if c.Link == packet.Ethernet {
		c.MAC = cmp.Or(c.MAC, packet.MAC{2, 0, 0, 0, 0, 1})
		c.PeerMAC = cmp.Or(c.PeerMAC, packet.MAC{2, 0, 0, 0, 0, 2})
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Log = c.Log.With("device", c.Name)
	return c
}

// maxLen is the longest frame that the link carries.
func (c Config) maxLen() int {
	n, most := c.MTU, maxFrame
	if c.Link == packet.Ethernet {
		n += etherLen + tagsLen
	}
	if c.Kind == UDP {
		most = maxUDP
	}
	return min(n, most)
}

// tls says whether the stream is encrypted.
func (c Config) tls() bool { return c.Cert != "" || c.CA != "" }

// waits says whether this end is the one that is connected to.
func (c Config) waits() bool { return c.Remote == "" }

// check refuses what is wrong whatever the network has. c has its defaults.
func (c Config) check() error {
	wrong := func(key, fix string) error {
		return &Error{Op: "set " + key, Device: c.Name, Kind: ErrBadConfig, Fix: fix}
	}
	most := maxFrame
	if c.Kind == UDP {
		most = maxUDP
	}
	if c.Link == packet.Ethernet {
		most -= etherLen
	}
	switch {
	case c.Kind != TCP && c.Kind != UDP:
		return wrong("kind", strconv.Quote(string(c.Kind))+` is neither "tcp" nor "udp"`)
	case !c.Local.IsValid() && c.waits():
		return wrong("remote", "a link has an end: set remote to connect, or local to wait for the other end")
	case c.MTU < minMTU || c.MTU > most:
		return wrong("mtu", strconv.Itoa(c.MTU)+" is out of range, 68 to "+strconv.Itoa(most))
	case c.Stall < 0:
		return wrong("stall", "a time is not negative")
	case c.Kind == UDP && c.tls():
		return wrong("cert", `only a stream can be TLS: use kind "tcp"`)
	case (c.Cert == "") != (c.Key == ""):
		return wrong("cert", "a certificate and its key belong together: set both")
	case c.Kind == TCP && c.waits() && c.tls() && c.Cert == "":
		return wrong("cert", "the end that waits for TLS needs a certificate: set cert and key")
	case c.Kind == TCP && c.waits() && c.tls() && c.CA == "" && !c.Insecure:
		return wrong("ca", "say who signs the certificates of those who may connect, or set insecure to let everybody")
	case c.Insecure && c.CA != "":
		return wrong("insecure", "it accepts any certificate, and ca only some: leave one of them out")
	case c.open() && !c.Insecure:
		return &Error{Op: "listen on " + c.Local.String(), Device: c.Name, Kind: ErrInsecure,
			Fix: "listen on loopback, use TLS on a tcp link (cert, key and ca), or set insecure = true"}
	}
	if !c.waits() {
		if _, port, err := net.SplitHostPort(c.Remote); err != nil || port == "" {
			return wrong("remote", strconv.Quote(c.Remote)+` is no host and port, such as "192.0.2.1:7001"`)
		}
	}
	return nil
}

// open says whether anybody on the network may be the peer.
func (c Config) open() bool {
	listens := c.Local.IsValid() && (c.waits() || c.Kind == UDP)
	return listens && !c.tls() && !c.Local.Addr().Unmap().IsLoopback()
}
