package setup

import (
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// openCapture opens a device of kind pcap.
func openCapture(d config.Device) (engine.Device, error) { return pcapfile.Open(capture(d)) }

func capture(d config.Device) pcapfile.Config {
	return pcapfile.Config{
		Name: d.Name, Address: d.Address, Peer: d.Peer,
		MAC: mac(d.MAC), PeerMAC: mac(d.PeerMAC), Path: d.Path,
	}
}

// Capture says what is played in place of a device.
type Capture struct {
	Path   string        // "-" is standard input
	Output string        // what leaves; "" is not kept, "-" is standard output
	MaxGap time.Duration // between two packets; 0: any
}

// Replay is the device d with a capture in place of a host. Of a capture of Ethernet
// it is a tap device.
func Replay(d config.Device, c Capture) (*pcapfile.Device, error) {
	pc := capture(d)
	pc.Path, pc.Output, pc.MaxGap = c.Path, c.Output, c.MaxGap
	if pc.MaxGap == 0 {
		pc.MaxGap = -1
	}
	dev, err := pcapfile.Open(pc)
	if err == nil && dev.Info().Link == packet.Ethernet && d.Name == "tun0" {
		dev.SetName("tap0")
	}
	return dev, err
}
