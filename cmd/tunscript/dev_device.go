package main

import (
	"fmt"
	"net/netip"
	"os/user"
	"strconv"

	"github.com/tunscript/tunscript/tundev/host"
)

// device is what `dev list` and `dev show` say, and the names of --json.
type device struct {
	Name       string        `json:"name"`
	Kind       string        `json:"kind"`
	Persistent bool          `json:"persistent"`
	Owner      *account      `json:"owner"` // null: none
	Group      *account      `json:"group"`
	MultiQueue bool          `json:"multi_queue"`
	Queues     int           `json:"queues"` // descriptors that are attached
	PI         bool          `json:"pi"`
	VNet       bool          `json:"vnet_hdr"`
	Flags      []string      `json:"flags"`
	State      string        `json:"state"` // down, no carrier, up
	Up         bool          `json:"up"`
	Carrier    bool          `json:"carrier"`
	MTU        int           `json:"mtu"`
	MAC        string        `json:"mac,omitempty"`
	TxQueueLen int           `json:"txqueuelen"`
	Addresses  []string      `json:"addresses"`
	Peers      []netip.Addr  `json:"peers"`
	Holders    []host.Holder `json:"holders"`
}

// account is a user or a group.
type account struct {
	ID   int    `json:"id"`
	Name string `json:"name,omitempty"`
}

func (a *account) String() string {
	if a == nil {
		return ""
	}
	if a.Name == "" {
		return strconv.Itoa(a.ID)
	}
	return fmt.Sprintf("%s (%d)", a.Name, a.ID)
}

func describe(l host.Link) (device, error) {
	d := device{
		Name: l.Name, Kind: l.Kind, Persistent: l.Persistent, MultiQueue: l.MultiQueue, Queues: l.Queues,
		PI: l.PI, VNet: l.VNet, Flags: l.Flags, Up: l.Up, Carrier: l.Carrier, MTU: l.MTU, MAC: l.MAC.String(),
		TxQueueLen: l.TxQueueLen, Addresses: []string{}, Peers: []netip.Addr{},
	}
	switch {
	case !l.Up:
		d.State = "down"
	case !l.Carrier:
		d.State = "no carrier"
	default:
		d.State = "up"
	}
	if l.Owner >= 0 {
		d.Owner = &account{ID: l.Owner}
		if u, err := user.LookupId(strconv.Itoa(l.Owner)); err == nil {
			d.Owner.Name = u.Username
		}
	}
	if l.Group >= 0 {
		d.Group = &account{ID: l.Group}
		if g, err := user.LookupGroupId(strconv.Itoa(l.Group)); err == nil {
			d.Group.Name = g.Name
		}
	}
	for _, a := range l.Addrs {
		d.Addresses = append(d.Addresses, a.Prefix.String())
		if a.Peer.IsValid() {
			d.Peers = append(d.Peers, a.Peer)
		}
	}
	var err error
	if d.Holders, err = host.Holders(l.Name); err != nil {
		return d, err
	}
	if d.Holders == nil {
		d.Holders = []host.Holder{}
	}
	if !l.MultiQueue && (l.Carrier || len(d.Holders) > 0) {
		d.Queues = 1 // the kernel counts them only where there may be several
	}
	return d, nil
}
