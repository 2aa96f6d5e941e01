package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
)

// devAddFlags are a device and the host's side of it.
type devAddFlags struct {
	mode, owner, group string
	multiQueue, up     bool
	tap                bool
	address, peer      []string
	route              []string
	mtu                int
	mac                string
}

func devAddCommand() *cobra.Command {
	var f devAddFlags
	c := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a device that stays",
		Long: "add makes a TUN or TAP device that stays until `dev del` or a restart. With --user or\n" +
			"--group those may open it, and so run scripts on it, without any privilege. If a\n" +
			"setting fails there is no device.",
		Example: "  sudo tunscript dev add tun0 --user $USER --address 192.0.2.1/32 --peer 192.0.2.2 --up\n" +
			"  tunscript run --device tun0 ping.lua",
		Args: takes(1, 1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	c.Flags().StringVar(&f.mode, "mode", "tun", "`KIND`: tun (IP packets) or tap (Ethernet frames)")
	c.Flags().BoolVar(&f.tap, "tap", false, "the same as --mode tap")
	c.Flags().StringVar(&f.owner, "user", "", "`USER` who may open it without privilege, a name or a number")
	c.Flags().StringVar(&f.group, "group", "", "`GROUP` that may; with --user, who must be in it")
	c.Flags().BoolVar(&f.multiQueue, "multi-queue", false, "several programs or workers read it at once")
	c.Flags().StringSliceVar(&f.address, "address", nil, "the host's `ADDRESS/LENGTH`; more with commas")
	c.Flags().StringSliceVar(&f.peer, "peer", nil, "the other end's `ADDRESS`, of an address of one host (/32, /128)")
	c.Flags().StringSliceVar(&f.route, "route", nil, "`NETWORK/LENGTH` that is reached through it; with --up")
	c.Flags().IntVar(&f.mtu, "mtu", tundev.DefaultMTU, "largest IP packet, in `BYTES`")
	c.Flags().StringVar(&f.mac, "mac", "", "hardware `ADDRESS` of a TAP device (default: the kernel's choice)")
	c.Flags().BoolVar(&f.up, "up", false, "bring it up")
	return c
}

func (f *devAddFlags) run(c *cobra.Command, name string) error {
	if f.tap {
		if c.Flags().Changed("mode") && f.mode != string(tundev.TAP) {
			return usage(c, fmt.Errorf("--tap is --mode tap, and there is --mode %s: choose", f.mode))
		}
		f.mode = string(tundev.TAP)
	}
	s, err := f.settings(name)
	if err != nil {
		return usage(c, err)
	}
	asked := name
	name, err = tundev.Create(tundev.Persistent{
		Name: name, Kind: tundev.Kind(f.mode), MultiQueue: f.multiQueue, Owner: f.owner, Group: f.group,
	})
	switch {
	case errors.Is(err, tundev.ErrBadConfig), errors.Is(err, tundev.ErrBadName):
		return usage(c, err)
	case err != nil:
		return runError{err}
	}
	h, err := host.Open()
	if err == nil {
		defer h.Close()
		err = h.Apply(name, s)
	}
	if err != nil {
		return runError{errors.Join(err, tundev.Delete(name))}
	}
	if name == asked {
		return nil
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), name) // the number that a pattern became
	return err
}

// settings are what the flags say of the host's side, checked as those of a file are.
func (f *devAddFlags) settings(name string) (host.Settings, error) {
	flags := deviceFlags{name: name, tap: f.mode == string(tundev.TAP), address: f.address, peer: f.peer, mtu: f.mtu}
	d, err := flags.device()
	if err != nil {
		return host.Settings{}, err
	}
	for _, r := range f.route {
		p, err := netip.ParsePrefix(r)
		if err != nil {
			return host.Settings{}, fmt.Errorf("--route %q: write it as 198.51.100.0/24", r)
		}
		d.Route = append(d.Route, p)
	}
	if f.mac != "" {
		if d.MAC, err = net.ParseMAC(f.mac); err != nil {
			return host.Settings{}, fmt.Errorf("--mac %q: write it as 02:00:00:00:00:01", f.mac)
		}
	}
	if err := checkDevice(d); err != nil {
		return host.Settings{}, err
	}
	s := host.Settings{
		MTU: d.MTU, TxQueueLen: tundev.DefaultTxQueueLen, MAC: d.MAC, Up: f.up,
		Addrs: host.Pair(d.Address, d.Peer), Routes: d.Route,
		// Without an IPv6 address of ours the kernel's own would only make noise.
		NoLinkLocal: !slices.ContainsFunc(d.Address, func(p netip.Prefix) bool { return p.Addr().Is6() }),
	}
	for i := range s.Addrs {
		s.Addrs[i].NoDAD = true // nobody else is on this wire yet
	}
	if len(s.Routes) > 0 && !f.up {
		return s, errors.New("--route needs --up: the kernel keeps no route through a device that is down")
	}
	return s, nil
}
