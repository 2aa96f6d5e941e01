package pcapfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// A recording is played again.
func Example() {
	// An engine calls Observe for every packet, decision and error.
	var file bytes.Buffer
	rec := pcapfile.NewWriter(&file, pcapfile.NG, "")
	ping, _ := packet.Parse(ping4(), packet.IP)
	rec.Observe(&engine.Event{Kind: engine.Received, Device: "tun0", Time: time.Unix(1, 0), Packet: ping})
	rec.Observe(&engine.Event{Kind: engine.Dropped, Device: "tun0", Time: time.Unix(1, 0), Packet: ping, Reason: "not today"})
	fmt.Println("recorded:", rec.Close())

	dev, err := pcapfile.Play(&file, nil, pcapfile.Config{Name: "tun0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	start, _ := dev.Start() // where the virtual clock of a replay begins
	fmt.Println(dev.Info().Name, dev.Info().Link, start.Unix())

	queues, err := dev.Attach(engine.Env{}) // engine.New does this
	if err != nil {
		fmt.Println(err)
		return
	}
	ps := make([]*packet.Packet, 64)
	for {
		n, err := queues[0].Read(ps, nil)
		if errors.Is(err, io.EOF) {
			break
		}
		fmt.Println(n, "packet of", ps[0].Len(), "bytes")
	}
	// Output:
	// recorded: <nil>
	// tun0 ip 1
	// 1 packet of 28 bytes
}
