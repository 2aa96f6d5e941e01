package setup

import (
	"log/slog"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/link"
)

// Link is a tunnel link as package link takes it.
func Link(d config.Device, log *slog.Logger) link.Config {
	lc := link.Config{
		Name: d.Name, Kind: link.Kind(d.Kind), Local: d.Local, MTU: d.MTU,
		Address: d.Address, Peer: d.Peer,
		Cert: d.Cert, Key: d.Key, CA: d.CA, Insecure: d.Insecure,
		Once: d.OnLost == config.OnLostStop, Log: log,
	}
	if d.Remote != (config.HostPort{}) {
		lc.Remote = d.Remote.String()
	}
	if d.Link == config.LinkEthernet {
		lc.Link, lc.MAC, lc.PeerMAC = packet.Ethernet, mac(d.MAC), mac(d.PeerMAC)
	}
	return lc
}

func isLink(d config.Device) bool { return d.Kind == config.UDP || d.Kind == config.TCP }

// pretendLink is a link in memory.
func pretendLink(d config.Device) tundev.Config {
	tc := Tun(d)
	if d.Link == config.LinkEthernet {
		tc.Kind, tc.MAC, tc.PeerMAC = tundev.TAP, mac(d.MAC), mac(d.PeerMAC)
	}
	return tc
}
