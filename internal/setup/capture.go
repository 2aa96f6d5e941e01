package setup

import (
	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// openCapture opens a device of kind pcap.
func openCapture(d config.Device) (engine.Device, error) {
	return pcapfile.Open(pcapfile.Config{
		Name: d.Name, Address: d.Address, Peer: d.Peer,
		MAC: mac(d.MAC), PeerMAC: mac(d.PeerMAC), Path: d.Path,
	})
}
