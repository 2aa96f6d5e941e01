package control

import (
	"encoding/binary"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/tundev/link"
)

// A peer of a tunnel sends one packet, and things that are none; the next one leaves in
// the middle of a frame.
func TestLinks(t *testing.T) {
	l, err := link.Open(link.Config{Name: "link0", Kind: link.TCP, Local: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	eng, err := engine.New(engine.Config{Devices: []engine.DeviceConfig{{Device: l}}})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- eng.Run(t.Context()) }()
	t.Cleanup(func() {
		eng.Close()
		<-ran
	})
	s, err := Listen(filepath.Join(t.TempDir(), "ctl"), Host{Engine: eng, Links: []*link.Device{l}, Stop: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.Start()
	c, err := Dial(t.Context(), s.l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })

	peer := func(frames ...[]byte) net.Conn {
		p, err := net.Dial("tcp", l.Addr())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			p.Write(binary.BigEndian.AppendUint16(nil, uint16(len(f))))
			p.Write(f)
		}
		return p
	}
	until := func(want Link) {
		t.Helper()
		var got []Link
		eventually(t, "counted", func() bool {
			now, err := c.Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = now.Links
			return cmp.Equal(got, []Link{want})
		})
	}
	until(Link{Device: "link0"})
	packet := slices.Concat([]byte{0x45, 0, 0, 20}, make([]byte, 16))
	first := peer(packet, nil, []byte("?"))
	until(Link{Device: "link0", Peer: first.LocalAddr().String(), Peers: 1, Received: 1, Lost: map[string]uint64{"empty": 1, "malformed": 1}})
	first.Close()
	until(Link{Device: "link0", Peers: 1, Received: 1, Lost: map[string]uint64{"empty": 1, "malformed": 1}})
	second := peer(packet)
	second.Write([]byte{1})
	second.Close()
	until(Link{Device: "link0", Peers: 2, Received: 2, Lost: map[string]uint64{"empty": 1, "malformed": 1}, Parted: map[string]uint64{"torn": 1}})
}
