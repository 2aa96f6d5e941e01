package link_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/link"
)

// A peer sends one packet, in the wire format of simpletun, and the engine sees it.
func Example() {
	dev, err := link.Open(link.Config{Name: "link", Kind: link.TCP, Local: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		fmt.Println(err)
		return
	}
	eng, err := engine.New(engine.Config{
		Devices: []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("show", func(s *engine.Scope) error {
			_, err := s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
				fmt.Println(p)
				s.Stop(0)
				return engine.Drop("seen")
			}})
			return err
		})}},
	})
	if err != nil {
		dev.Close()
		fmt.Println(err)
		return
	}
	peer, err := net.Dial("tcp", dev.Addr())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer peer.Close()
	peer.Write([]byte("\x00\x1e\x45\x00\x00\x1e\x00\x00\x00\x00\x40\x11\xf6\xcc\xc0\x00\x02\x02\xc0\x00\x02\x01\x0f\xa0\x00\x07\x00\x0a\x00\x00hi"))
	if err := eng.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: IP 192.0.2.2.4000 > 192.0.2.1.7: UDP, length 2
}
