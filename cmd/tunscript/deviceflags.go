package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/config"
)

// deviceFlags describe the one device of a run without a configuration.
type deviceFlags struct {
	name    string
	tap     bool
	address []string
	peer    []string
	mtu     int
}

var deviceFlagNames = []string{"device", "tap", "address", "peer", "mtu"}

func (d *deviceFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&d.name, "device", "", "`NAME` of the device, made if it does not exist (default tun0 or tap0)")
	c.Flags().BoolVar(&d.tap, "tap", false, "a TAP device: Ethernet frames instead of IP packets")
	c.Flags().StringSliceVar(&d.address, "address", nil, "the host's `ADDRESS/LENGTH`; more with commas")
	c.Flags().StringSliceVar(&d.peer, "peer", nil, "the script's `ADDRESS`; more with commas")
	c.Flags().IntVar(&d.mtu, "mtu", 1500, "largest IP packet, in `BYTES`")
}

func (d *deviceFlags) given(c *cobra.Command) bool {
	for _, name := range deviceFlagNames {
		if c.Flags().Changed(name) {
			return true
		}
	}
	return false
}

func (d *deviceFlags) devices() ([]config.Device, error) {
	dev, err := d.device()
	if err != nil {
		return nil, err
	}
	return []config.Device{dev}, checkDevice(dev)
}

// device is what the flags say, not checked yet.
func (d *deviceFlags) device() (config.Device, error) {
	dev := config.DefaultDevice()
	dev.Name, dev.Kind, dev.MTU = "tun0", config.TUN, d.mtu
	if d.tap {
		dev.Name, dev.Kind = "tap0", config.TAP
	}
	if d.name != "" {
		dev.Name = d.name
	}
	for _, a := range d.address {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			return dev, fmt.Errorf("--address %q: write it as 192.0.2.1/24", a)
		}
		dev.Address = append(dev.Address, p)
	}
	for _, a := range d.peer {
		p, err := netip.ParseAddr(a)
		if err != nil {
			return dev, fmt.Errorf("--peer %q: write it as 192.0.2.2", a)
		}
		dev.Peer = append(dev.Peer, p)
	}
	return dev, nil
}

// checkDevice finds the mistakes that a file would be refused for, and names the flag.
func checkDevice(d config.Device) error {
	cfg := config.Default()
	cfg.Devices = []config.Device{d}
	var mistakes config.Errors
	err := cfg.Check()
	if !errors.As(err, &mistakes) {
		return err
	}
	var all []error
	for _, m := range mistakes {
		flag, _, _ := strings.Cut(strings.TrimPrefix(m.Key, "device[1]."), "[")
		text := "--" + flag + ": " + m.Message
		if flag == "name" {
			text = "the name: " + m.Message
		}
		if flag == "mac" && d.Kind == config.TUN {
			text = "--mac is for a TAP device: add --mode tap"
		} else if m.Suggestion != "" {
			text += "; " + m.Suggestion
		}
		all = append(all, errors.New(text))
	}
	return errors.Join(all...)
}
