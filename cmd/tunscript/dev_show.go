package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
)

func devShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Say what a device is, and who has it open",
		Args:  takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := showDevice(args[0])
			if err != nil {
				return runError{err}
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), d)
			}
			return d.print(c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "for programs")
	return c
}

func showDevice(name string) (device, error) {
	h, err := host.Open()
	if err != nil {
		return device{}, err
	}
	defer h.Close()
	l, err := h.Link(name)
	if err != nil {
		return device{}, err
	}
	if l.Kind != string(tundev.TUN) && l.Kind != string(tundev.TAP) {
		return device{}, &host.Error{Op: "show", Device: name, Err: tundev.ErrMismatch,
			Fix: "it is no TUN or TAP device: see `ip -d link show " + name + "`"}
	}
	return describe(l)
}

func (d device) ownerText() string {
	switch {
	case d.Owner != nil:
		return d.Owner.String()
	case d.Group != nil:
		return "group " + d.Group.String()
	}
	return ""
}

func (d device) heldText() string {
	var who []string
	for _, h := range d.Holders {
		text := fmt.Sprintf("%s (pid %d)", h.Command, h.PID)
		if h.Stopped {
			text += " stopped"
		}
		who = append(who, text)
	}
	return strings.Join(who, ", ")
}

// print says each thing on a line of its own, and what it means where that is not plain.
func (d device) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(key, format string, args ...any) { fmt.Fprintf(w, key+"\t"+format+"\n", args...) }
	line("name", "%s", d.Name)
	line("kind", "%s", d.kindText())
	line("stays", "%s", choose(d.Persistent, "yes, when no program has it open", "no, it goes with the program that made it"))
	line("owner", "%s", d.ownerLine())
	if d.Group != nil {
		line("group", "%s", d.Group.String()+choose(d.Owner == nil, ", may open it without privilege", ""))
	}
	line("flags", "%s", strings.Join(d.Flags, ","))
	line("state", "%s", d.stateText())
	line("queues", "%s", choose(d.MultiQueue, fmt.Sprintf("several, %d open", d.Queues), fmt.Sprintf("one, %d open", d.Queues)))
	line("header", "%s", d.headerText())
	line("mtu", "%d", d.MTU)
	line("txqueuelen", "%d", d.TxQueueLen)
	if d.MAC != "" {
		line("mac", "%s", d.MAC)
	}
	line("address", "%s", choose(len(d.Addresses) > 0, strings.Join(d.Addresses, ", "), "none"))
	for _, p := range d.Peers {
		line("peer", "%s, the other end: while the device is up there is a route to it, and the program gets what is sent there%s",
			p, choose(slices.Contains(d.Flags, "NOARP"), "; no ARP asks for it (POINTOPOINT, NOARP)", ", ARP first"))
	}
	line("held by", "%s", choose(len(d.Holders) > 0, d.heldText(), choose(d.Carrier, "a process of somebody else", "nobody")))
	return w.Flush()
}

func (d device) ownerLine() string {
	switch {
	case d.Owner != nil && d.Group != nil:
		return d.Owner.String() + ", may open it without privilege where in the group"
	case d.Owner != nil:
		return d.Owner.String() + ", may open it without privilege"
	case d.Group != nil:
		return "none"
	}
	return "none, opening it takes CAP_NET_ADMIN"
}

func (d device) kindText() string {
	return choose(d.Kind == string(tundev.TAP), "tap, Ethernet frames", "tun, IP packets")
}

func (d device) stateText() string {
	switch {
	case !d.Up:
		return "down: ip link set " + d.Name + " up" + choose(len(d.Holders) > 0, "; a program has it open", "")
	case !d.Carrier:
		return "up, no carrier: no program has it open"
	}
	return "up, with a carrier: a program has it open"
}

func (d device) headerText() string {
	switch {
	case d.PI && d.VNet:
		return "packet information and vnet header"
	case d.PI:
		return "packet information (4 bytes)"
	case d.VNet:
		return "vnet header (offload)"
	}
	return "none"
}

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
