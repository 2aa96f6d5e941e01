package link_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/link"
)

// A wire looks at every frame between two links.
type wire struct {
	t   testing.TB
	mtu int
	n   atomic.Int64
}

// between puts the wire before the link that listens at addr, and returns where it does.
func (w *wire) between(addr string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { ln.Close() })
	go func() {
		near, err := ln.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", addr)
		if err != nil {
			w.t.Error(err)
			return
		}
		go w.carry(near, far)
		w.carry(far, near)
	}()
	return ln.Addr().String()
}

func (w *wire) carry(from, to net.Conn) {
	defer to.Close()
	for r := bufio.NewReader(from); ; {
		var n [2]byte
		if _, err := io.ReadFull(r, n[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint16(n[:]))
		if _, err := io.ReadFull(r, b); err != nil {
			return
		}
		w.n.Add(1)
		p, err := packet.Parse(b, packet.IP)
		if err != nil {
			w.t.Errorf("a frame of %d bytes: %v", len(b), err)
		} else if layer, ok := p.Valid(); !ok || len(b) > w.mtu {
			w.t.Errorf("a packet of %d bytes, at most %d fit, whose %q is wrong: %v", len(b), w.mtu, layer, p)
		}
		to.Write(frame(b))
	}
}

// supers counts the super-packets that came in.
type supers struct{ n atomic.Int64 }

func (s *supers) Observe(e *engine.Event) {
	if e.Kind == engine.Received && e.Packet.GSO().Size > 0 {
		s.n.Add(1)
	}
}

// What a kernel hands over as super-packets, checksums unfinished, stands on the wire as
// packets of at most the link's MTU, each whole, whatever the device's own MTU.
func TestSuperPacketsAreCutForTheWire(t *testing.T) {
	labtest.Require(t)
	for _, mtu := range []int{1500, 1000} {
		t.Run(fmt.Sprint(mtu), func(t *testing.T) {
			leaks(t)
			w := &wire{t: t, mtu: mtu}
			ends := tunnel(t, link.TCP, func(_ *tundev.Config, c *link.Config) {
				c.MTU = mtu
				if c.Remote != "" {
					c.Remote = w.between(c.Remote)
				}
			})
			var came supers
			defer ends[0].eng.Observe(&came, nil)()
			iperf(t, ends[0], ends[1], "192.0.2.2", "-n", "20M")
			if came.n.Load() == 0 {
				t.Error("the kernel has handed over no super-packet")
			}
			// iperf3 does not wait for the last of them.
			if least := int64(10 << 20 / mtu); w.n.Load() < least {
				t.Errorf("%d frames were on the wire, want at least %d", w.n.Load(), least)
			}
			for _, e := range ends {
				if s := e.link.Stats(); s.TooBig+s.Malformed+s.Empty > 0 {
					t.Errorf("%+v, want nothing wrong", s)
				}
				if out := e.run("nstat", "-az", "TcpInCsumErrors"); !bytes.Contains(out, []byte(" 0 ")) {
					t.Errorf("a host counts wrong checksums: %s", out)
				}
			}
		})
	}
}
