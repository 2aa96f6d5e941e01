package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/setup"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
)

// The addresses of a lab.
var (
	labHost, labHost6 = netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")
	labPeer, labPeer6 = netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8::2/64")
	everywhere        = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
)

func labAddresses() []netip.Prefix { return []netip.Prefix{labHost, labHost6} }
func labPeers() []netip.Addr       { return []netip.Addr{labPeer.Addr(), labPeer6.Addr()} }

type labFlags struct {
	commonFlags
	watchFlags
	live            liveFlags
	tap, pair, loop bool
	server          string
}

func labCommand() *cobra.Command {
	var f labFlags
	c := &cobra.Command{
		Use:   "lab [flags] SCRIPT... [-- CMD...]",
		Short: "Run scripts and a command in a private network",
		Long: "lab makes a network of its own with a device in it, runs the scripts on the device\n" +
			"and CMD (or a shell) beside them, and exits with CMD's status, or with that of a\n" +
			"script's stop(). Nothing is left behind, and the host's own network is not touched.\n" +
			"It needs no root where the kernel allows user namespaces.\n\n" +
			"The host in the lab is 192.0.2.1 and 2001:db8::1; every other address is reached\n" +
			"through the device, and so is the script's to fake. With --pair there is a second\n" +
			"host behind the script, 192.0.2.2 and 2001:db8::2. With --loop these are addresses of\n" +
			"the same host, on a second device, and the script is between the two: server and\n" +
			"client run in one shell.",
		Example: "  tunscript lab ping.lua -- ping -c 3 192.0.2.2\n" +
			"  tunscript lab --tap --dump arp.lua -- ping -c 1 192.0.2.2\n" +
			"  tunscript lab --pair --server 'iperf3 -s -1' flaky.lua -- iperf3 -c 192.0.2.2\n" +
			"  tunscript lab --loop counter.lua -- ping -c 3 192.0.2.2",
		RunE: func(c *cobra.Command, args []string) error {
			scripts, command := args, []string(nil)
			if n := c.ArgsLenAtDash(); n >= 0 {
				scripts, command = args[:n], args[n:]
			}
			if len(scripts) == 0 && f.dump == "" && f.pcap == "" {
				return usage(c, errors.New("nothing to run: name a script, or --dump to look on"))
			}
			if f.server != "" && !f.pair {
				return usage(c, errors.New("--server runs on the second host: add --pair"))
			}
			if f.pair && f.loop {
				return usage(c, errors.New("--pair has two hosts and --loop one: choose"))
			}
			return f.run(c, scripts, command)
		},
	}
	f.registerScripts(c)
	f.watchFlags.register(c)
	f.live.register(c)
	c.Flags().BoolVar(&f.tap, "tap", false, "a TAP device: Ethernet frames instead of IP packets")
	c.Flags().BoolVar(&f.pair, "pair", false, "two hosts with the script between them")
	c.Flags().BoolVar(&f.loop, "loop", false, "two addresses of one host with the script between them")
	c.Flags().StringVar(&f.server, "server", "", "`CMD` that runs on the second host, by the shell")
	return c
}

func (f *labFlags) run(c *cobra.Command, scripts, command []string) error {
	// A script with a mistake is told about before anything is made.
	log, err := newLog(c.ErrOrStderr(), f.logFormat, f.level())
	if err != nil {
		return usage(c, err)
	}
	cfg, err := f.load(c, scripts)
	if err != nil {
		return err
	}
	opt, err := f.options(log)
	if err != nil {
		return err
	}
	opt.Read = f.live.files.Add
	programs, err := setup.Scripts(cfg, opt)
	if err != nil {
		return err
	}
	status, inside, err := lab.Enter(lab.Options{})
	if err != nil {
		return err
	}
	if !inside {
		if status != 0 {
			return statusError(status)
		}
		return nil
	}
	ec := setup.Engine(cfg, opt)
	ec.Programs = programs
	net, err := f.open()
	if err != nil {
		return runError{err}
	}
	defer net.close()
	ec.Devices = net.devices
	promptly(ec.Workers)
	f.errors = cfg.Engine.Errors
	s, err := newSession(c.Context(), ec, f.watchFlags, c.OutOrStdout())
	if err != nil {
		setup.Close(ec.Devices)
		return err
	}
	end, err := s.live(cfg, opt, &f.live, ec.Programs, c.ErrOrStderr())
	if err != nil {
		s.end()
		s.eng.Close()
		return err
	}
	defer end()
	return net.runIn(s, f.server, command)
}

// A labNet is the network of a lab: a device, or two with a host behind each.
type labNet struct {
	devices []engine.DeviceConfig
	far     *lab.Namespace // nil without a second host
}

// open makes the devices of the lab.
func (f *labFlags) open() (*labNet, error) {
	near := tundev.Config{Name: "tun0", Kind: tundev.TUN, Address: labAddresses(), Peer: labPeers(), Route: everywhere}
	if f.tap {
		near.Name, near.Kind = "tap0", tundev.TAP
	}
	if f.loop {
		near.Address = single(near.Address)
	}
	dev, err := tundev.Open(near)
	if err != nil {
		return nil, err
	}
	net := &labNet{devices: []engine.DeviceConfig{{Device: dev}}}
	far := near
	far.Name = strings.Replace(near.Name, "0", "1", 1)
	far.Address = []netip.Prefix{labPeer, labPeer6}
	far.Peer = []netip.Addr{labHost.Addr(), labHost6.Addr()}
	switch {
	case f.pair:
		if net.far, err = lab.NewNamespace(); err == nil {
			err = net.far.Do(func() error { return net.join(far) })
		}
	case f.loop:
		far.Address, far.Route = single(far.Address), nil
		if err = net.join(far); err == nil {
			err = loop(near.Name, far.Name)
		}
	}
	if err != nil {
		setup.Close(net.devices)
		net.close()
		return nil, err
	}
	return net, nil
}

// join opens a second device; each forwards to the other.
func (n *labNet) join(far tundev.Config) error {
	dev, err := tundev.Open(far)
	if err == nil {
		n.devices = append(n.devices, engine.DeviceConfig{Device: dev, Forward: n.devices[0].Device.Info().Name})
		n.devices[0].Forward = far.Name
	}
	return err
}

// single are the addresses without their networks, which both devices cannot have.
func single(list []netip.Prefix) []netip.Prefix {
	list = slices.Clone(list)
	for i, p := range list {
		list[i] = netip.PrefixFrom(p.Addr(), p.Addr().BitLen())
	}
	return list
}

// loop makes each device the way to the other's addresses. There is nothing to undo:
// the network ends with the lab.
func loop(near, far string) error {
	h, err := host.Open()
	if err != nil {
		return err
	}
	defer h.Close()
	table, err := h.FreeTable()
	if err != nil {
		return err
	}
	return h.Loop(near, far, table)
}

func (n *labNet) close() {
	if n.far != nil {
		n.far.Close()
	}
}

// command is a program in the lab, told by its environment where it is.
func (n *labNet) command(args []string) lab.Command {
	return lab.Command{Args: args, Device: n.devices[0].Device.Info().Name, Host: labHost.Addr(), Peer: labPeer.Addr()}
}

// runIn runs the session and, once it is ready, the server and the command; the
// command's end is the lab's.
func (n *labNet) runIn(s *session, server string, args []string) error {
	// The first process of a namespace is not ended by a signal that it does not catch.
	early, stop := signal.NotifyContext(context.WithoutCancel(s.ctx), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	piped, stop := signal.NotifyContext(context.WithoutCancel(s.ctx), syscall.SIGPIPE)
	defer stop()
	context.AfterFunc(piped, s.stop) // nobody reads what is printed any more
	ran := make(chan error, 1)
	go func() { ran <- s.run() }()
	select {
	case <-s.ready:
	case err := <-ran:
		return runError{err}
	}
	if server != "" {
		behind := n.command([]string{"/bin/sh", "-c", server})
		behind.Namespace, behind.Background = n.far, true
		behind.Device = n.devices[1].Device.Info().Name
		behind.Host, behind.Peer = labPeer.Addr(), labHost.Addr()
		p, err := behind.Start()
		if err != nil {
			s.stop()
			<-ran
			return runError{err}
		}
		defer p.Stop()
		n.awaitServer(func() bool { return early.Err() != nil || s.ctx.Err() != nil })
	}
	if early.Err() != nil {
		s.stop()
		<-ran
		return interrupted
	}
	if len(args) == 0 && isTerminal(os.Stdin) {
		n.greet(os.Stderr)
	}
	command := n.command(args)
	command.Keep = []os.Signal{syscall.SIGHUP} // reloads the scripts
	status, err := command.Run(s.ctx)
	over := s.ctx.Err() != nil // it was the lab that ended first
	s.stop()
	if ranErr := <-ran; ranErr != nil {
		return runError{ranErr} // the script ended the lab, or the engine failed
	}
	switch {
	case piped.Err() != nil:
		return statusError(128 + int(syscall.SIGPIPE))
	case over && err == nil && s.failures() == 0: // stop(), or --dump -n: the command was ended for it
		return nil
	case err != nil:
		fmt.Fprintln(os.Stderr, "tunscript: "+err.Error())
		return statusError(status)
	case status == 0 && s.failures() > 0:
		return statusError(exitFailed)
	case status != 0:
		return statusError(status)
	}
	return nil
}

// greet says to who gets a shell where he is.
func (n *labNet) greet(w io.Writer) {
	who := "whatever you send to another address goes to the script"
	if len(n.devices) > 1 {
		who = fmt.Sprintf("the other end is %s, and the script stands between", labPeer.Addr())
	}
	fmt.Fprintf(w, "a shell in the lab: you are %s, %s; exit ends it\n", labHost.Addr(), who)
}

// awaitServer waits until something on the second host listens, for at most two
// seconds, or until it is over: a client that comes before its server is refused.
func (n *labNet) awaitServer(over func() bool) {
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline) && !over(); {
		if listening, err := n.far.Listening(); err != nil || listening {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
