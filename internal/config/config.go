package config

import (
	"net"
	"net/netip"
)

// Config is the whole file, key for key. The tags are the grammar: `toml` names
// the key, `range` bounds a number, `oneof` lists the words.
type Config struct {
	Engine  Engine   `toml:"engine"`
	Limits  Limits   `toml:"limits"`
	Devices []Device `toml:"device"`
	Scripts []Script `toml:"script"`
	Impair  []Impair `toml:"impair"`
	Host    Host     `toml:"host"`
	Control Control  `toml:"control"`
	Metrics Metrics  `toml:"metrics"`

	src *source // the text it was read from; nil if it was made in Go
}

// OnError says what becomes of a packet whose handler failed.
type OnError string

// What may be written for on_error. A script's is empty unless it says so, and
// then [Engine.OnError] counts.
const (
	OnErrorDrop OnError = "drop"
	OnErrorPass OnError = "pass"
	OnErrorStop OnError = "stop" // ends the run
)

// Engine is [engine]: what holds for the whole run.
type Engine struct {
	Workers int     `toml:"workers" range:"1..256"`
	OnError OnError `toml:"on_error" oneof:"drop pass stop"`
	Seed    int64   `toml:"seed" range:"0.."` // 0: from the system
	User    Account `toml:"user"`             // whom to become once everything is open
	Group   Account `toml:"group"`
	Errors  string  `toml:"errors"` // pcapng file for packets whose handler failed
}

// Limits is [limits]: what one script may use. Memory and String are bytes, the
// rest counts.
type Limits struct {
	Instructions     int64 `toml:"instructions" range:"1.."`
	LoadInstructions int64 `toml:"load_instructions" range:"1.."`
	Memory           Size  `toml:"memory" range:"65536.."`
	String           Size  `toml:"string" range:"1.."`
	Coroutines       int   `toml:"coroutines" range:"1..1000000"`
	Tasks            int   `toml:"tasks" range:"1..10000000"`
	Timers           int   `toml:"timers" range:"1..100000000"`
	Held             int   `toml:"held" range:"1..10000000"`
	Shared           int   `toml:"shared" range:"1..1000000000"`
	Flows            int   `toml:"flows" range:"1..100000000"`
}

// Kind says what a device is.
type Kind string

// The kinds of device.
const (
	TUN  Kind = "tun"
	TAP  Kind = "tap"
	PCAP Kind = "pcap" // a capture file
	UDP  Kind = "udp"  // a link: packets in datagrams
	TCP  Kind = "tcp"  // a link: packets in a stream, with TLS if there is a certificate
)

// Offload says how much work is shared with the kernel.
type Offload string

// How super-packets are used.
const (
	OffloadAuto Offload = "auto" // TCP segments travel together
	OffloadMax  Offload = "max"  // equal-sized UDP datagrams, too
	OffloadOff  Offload = "off"  // no vnet header at all
)

// OnLost says what happens when a device is gone.
type OnLost string

// What may be written for on_lost.
const (
	OnLostWait OnLost = "wait" // reopen it when it is back
	OnLostStop OnLost = "stop"
)

// LinkType says what a udp or tcp link carries.
type LinkType string

// What a link carries.
const (
	LinkIP       LinkType = "ip"
	LinkEthernet LinkType = "ethernet"
)

// Device is one [[device]]. Which keys a kind takes is checked; the others
// keep their defaults.
type Device struct {
	Name    string           `toml:"name"`
	Kind    Kind             `toml:"kind" oneof:"tun tap pcap udp tcp"`
	Address []netip.Prefix   `toml:"address"`  // the host's side
	Peer    []netip.Addr     `toml:"peer"`     // the script's side
	MAC     net.HardwareAddr `toml:"mac"`      // the host's side; nil: the kernel's choice
	PeerMAC net.HardwareAddr `toml:"peer_mac"` // the script's side
	MTU     int              `toml:"mtu" range:"68..65535"`
	Offload Offload          `toml:"offload" oneof:"auto max off"`
	Forward string           `toml:"forward"` // name of a device; empty: none
	OnLost  OnLost           `toml:"on_lost" oneof:"wait stop"`
	Route   []netip.Prefix   `toml:"route"` // what the host reaches through it

	Owner      Account `toml:"owner"`
	Group      Account `toml:"group"`
	Queues     int     `toml:"queues" range:"0..256"` // 0: as many as workers
	Persist    bool    `toml:"persist"`
	Manage     bool    `toml:"manage"`
	PI         bool    `toml:"pi"`
	TxQueueLen int     `toml:"txqueuelen" range:"0..1000000"` // 0: 1000

	Path string `toml:"path"` // of a capture

	Local    netip.AddrPort `toml:"local"`
	Remote   HostPort       `toml:"remote"`
	Link     LinkType       `toml:"link" oneof:"ip ethernet"`
	Cert     string         `toml:"cert"`
	Key      string         `toml:"key"`
	CA       string         `toml:"ca"`
	Insecure bool           `toml:"insecure"`
}

// Script is one [[script]].
type Script struct {
	Path         string         `toml:"path"`
	Name         string         `toml:"name"`    // empty: the file's, without folder and .lua
	Devices      []string       `toml:"devices"` // empty: all
	Options      map[string]any `toml:"options"` // string, int64, float64 or bool
	Prio         int            `toml:"prio" range:"-100..100"`
	OnError      OnError        `toml:"on_error" oneof:"drop pass stop"` // empty: as in Engine
	DisableAfter int            `toml:"disable_after" range:"0..64"`     // failures in 64 packets; 0: never
	Trusted      bool           `toml:"trusted"`
	Shared       []string       `toml:"shared"` // dictionaries it may open; empty: its own
}

// Host is [host]: what is changed on this host while tunscript runs.
type Host struct {
	Loop       []string `toml:"loop"` // no device or two
	Masquerade bool     `toml:"masquerade"`
}

// Control is [control].
type Control struct {
	Socket string `toml:"socket"` // empty: none
}

// Metrics is [metrics].
type Metrics struct {
	Listen netip.AddrPort `toml:"listen"` // a loopback address; the zero value: none
}
