package tundev_test

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// A device for an engine; what keeps it from being made says what to do.
func ExampleOpen() {
	dev, err := tundev.Open(tundev.Config{
		Name:    "tun%d", // the next free number
		Kind:    tundev.TUN,
		Address: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")},
		Peer:    []netip.Addr{netip.MustParseAddr("192.0.2.2")},
	})
	if errors.Is(err, tundev.ErrPermission) {
		fmt.Println(err) // tun%d: open: not permitted (operation not permitted): making a device needs CAP_NET_ADMIN: ...
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dev.Close()
	fmt.Println(dev.Info().Name)
}

// Memory instead of a device: the test is the host, and needs no privilege.
func ExamplePipe() {
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0"})
	defer wire.Close()
	queues, err := dev.Attach(engine.Env{Virtual: true}) // engine.New does this
	if err != nil {
		fmt.Println(err)
		return
	}

	ping := []byte{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2}
	if _, err := wire.Write(ping); err != nil { // one packet a call
		fmt.Println(err)
		return
	}

	ps := make([]*packet.Packet, 64)
	n, err := queues[0].Read(ps, nil) // a worker does this
	fmt.Println(n, "packet,", ps[0].Len(), "bytes,", err)
	err = queues[0].Write(ps[:n], nil)
	fmt.Println(wire.Pending(), "waits,", err)
	// Output:
	// 1 packet, 20 bytes, <nil>
	// 1 waits, <nil>
}
