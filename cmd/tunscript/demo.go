package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/scripts/examples"
	"github.com/tunscript/tunscript/tundev"
)

// demoScript is the example that the demo runs.
const demoScript = "ping.lua"

func demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show a ping answered by a script",
		Long: "demo makes a private network with a TUN device, runs the ping script on it, sends\n" +
			"three echo requests through the kernel and prints every packet with its verdict.\n" +
			"It needs nothing installed and leaves nothing behind. Where the system does not\n" +
			"allow a private network it says why, and shows the same on a device in memory.",
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			out := c.OutOrStdout()
			signal.Ignore(syscall.SIGPIPE) // who reads the first lines only, as head does, has seen enough
			status, inside, err := lab.Enter(lab.Options{})
			switch {
			case errors.Is(err, lab.ErrPrivilege):
				fmt.Fprintln(c.ErrOrStderr(), "tunscript: "+err.Error())
				fmt.Fprintln(out, "Without it, the same on a device in memory:")
				return demo(c.Context(), out, inMemory)
			case err != nil:
				return err
			case !inside && status != 0:
				return statusError(status)
			case !inside:
				return nil
			}
			return demo(c.Context(), out, inKernel)
		},
	}
}

// A stage is where the demo plays: a device, and a ping that reaches it.
type stage struct {
	device engine.Device
	ping   func(seq int) error // sends one echo request and waits for the answer
	close  func()
}

func demo(ctx context.Context, out io.Writer, open func() (*stage, error)) error {
	src, err := examples.Files.ReadFile(demoScript)
	if err != nil {
		return err
	}
	script, err := luabind.LoadString(demoScript, string(src), luabind.Options{})
	if err != nil {
		return err
	}
	st, err := open()
	if err != nil {
		return runError{err}
	}
	defer st.close()
	log, err := newLog(out, "text", slog.LevelInfo)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s:\n\n%s\n", demoScript, src)
	s, err := newSession(ctx, engine.Config{
		Log:      log,
		Devices:  []engine.DeviceConfig{{Device: st.device}},
		Programs: []engine.ProgramConfig{{Program: script}},
	}, watchFlags{dump: "icmp"}, out)
	if err != nil {
		st.device.Close()
		return err
	}
	ran := make(chan error, 1)
	go func() { ran <- s.run() }()
	answered := 0
	select {
	case <-s.ready:
	case err := <-ran:
		return runError{err}
	}
	for seq := 1; seq <= 3; seq++ {
		if err = st.ping(seq); err != nil {
			break
		}
		answered++
	}
	s.stop()
	if err := errors.Join(err, <-ran); err != nil {
		return runError{err}
	}
	fmt.Fprintf(out, "\n3 echo requests sent, %d answered by the script.\n", answered)
	return nil
}

// inKernel is a TUN device in a private network; the kernel is who pings.
func inKernel() (*stage, error) {
	dev, err := tundev.Open(tundev.Config{Name: "tun0", Kind: tundev.TUN, Address: labAddresses()[:1], Peer: labPeers()[:1]})
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("ip4:icmp", labPeer.Addr().String())
	if err != nil {
		dev.Close()
		return nil, err
	}
	buf := make([]byte, 1500)
	ping := func(seq int) error {
		request, err := echoRequest(seq)
		if err != nil {
			return err
		}
		ip, _ := request.IPv4()
		conn.SetDeadline(time.Now().Add(2 * time.Second))
		if _, err := conn.Write(request.Bytes()[ip.HeaderLen():]); err != nil {
			return err
		}
		if _, err := conn.Read(buf); err != nil {
			return fmt.Errorf("echo request %d was not answered: %w", seq, err)
		}
		return nil
	}
	return &stage{dev, ping, func() { conn.Close() }}, nil
}

// inMemory is a device that nobody but this process knows.
func inMemory() (*stage, error) {
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0", Kind: tundev.TUN, Address: labAddresses()[:1], Peer: labPeers()[:1]})
	buf := make([]byte, 1500)
	ping := func(seq int) error {
		request, err := echoRequest(seq)
		if err != nil {
			return err
		}
		if _, err := wire.Write(request.Bytes()); err != nil {
			return err
		}
		_, err = wire.Read(buf)
		return err
	}
	return &stage{dev, ping, func() { wire.Close() }}, nil
}

func echoRequest(seq int) (*packet.Packet, error) {
	return packet.Build(
		packet.IPv4{Src: labHost.Addr(), Dst: labPeer.Addr()},
		packet.ICMP{Type: packet.EchoRequest, ID: 1, Seq: uint16(seq)},
		packet.Payload("a ping answered by a few lines of Lua"),
	)
}
