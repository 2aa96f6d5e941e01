package tundev_test

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// An insertion puts text into the stream to port 9000, before its byte number after, and
// keeps both ends in step: what follows is so much further on, and what is acknowledged so
// much less. It sees one connection after the other.
type insertion struct {
	text  []byte
	after uint32
	at    uint32 // the sequence number of that byte
}

func (i *insertion) handle(p *packet.Packet) engine.Verdict {
	tcp, ok := p.TCP()
	if !ok {
		return engine.Pass()
	}
	k := uint32(len(i.text))
	if tcp.Flags().Has(packet.SYN) {
		if err := tcp.Options().SetSackPermitted(false); err != nil { // blocks would have to move, too
			return engine.Fail(err)
		}
		if tcp.Dport() == 9000 {
			i.at = tcp.Seq() + 1 + i.after
		}
		return engine.Pass()
	}
	if tcp.Dport() != 9000 {
		switch past := int32(tcp.Ack() - i.at); {
		case past >= int32(k):
			tcp.SetAck(tcp.Ack() - k)
		case past >= 0: // the byte in front is to come again, and the text with it
			tcp.SetAck(i.at - 1)
		}
		return engine.Pass()
	}
	b := p.Payload()
	switch before := int(int32(i.at - tcp.Seq())); {
	case before <= 0:
		tcp.SetSeq(tcp.Seq() + k)
	case before <= len(b):
		if err := p.SetPayload(bytes.Join([][]byte{b[:before], i.text, b[before:]}, nil)); err != nil {
			return engine.Fail(err)
		}
	}
	return engine.Pass()
}

// A payload that becomes longer moves all that comes behind it. In the middle, and one hop
// further, where checksums are looked at, the stream has the text in its place; with
// super-packets seen whole, segment by segment, and without any.
func TestTransfersLonger(t *testing.T) {
	for _, tt := range []struct {
		name    string
		super   bool
		offload tundev.Offload
		text    int // bytes
	}{
		{"super", true, tundev.OffloadAuto, 24},
		{"super, an odd byte", true, tundev.OffloadAuto, 1},
		{"ordinary", false, tundev.OffloadAuto, 24},
		{"ordinary, an odd byte", false, tundev.OffloadAuto, 1},
		{"ordinary, nearly a segment", false, tundev.OffloadAuto, 1201},
		{"no offload", false, tundev.OffloadOff, 1201},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newThree(t, tundev.TUN, tt.offload)
			edit := &insertion{text: bytes.Repeat([]byte("long "), 300)[:tt.text], after: 1000}
			eng, stop := n.start(t, on(engine.Handler{Super: tt.super, Run: edit.handle}))
			defer stop()
			data := make([]byte, 8<<20)
			rand.NewChaCha8([32]byte{3}).Read(data)
			want := bytes.Join([][]byte{data[:1000], edit.text, data[1000:]}, nil)
			for _, to := range []struct {
				w    world
				addr string
			}{{n.middle, "192.0.2.2"}, {n.middle, "2001:db8::2"}, {n.far, "203.0.113.2"}, {n.far, "2001:db8:9::2"}} {
				a := netip.AddrPortFrom(netip.MustParseAddr(to.addr), 9000)
				got, err := n.transfer(to.w, a, a, data)
				if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
					t.Errorf("%s: %d bytes of %d, %v", a, len(got), len(want), err)
				}
			}
			if wrong := n.far.wrongSums() + n.middle.wrongSums(); wrong > 0 {
				t.Errorf("%d wrong checksums", wrong)
			}
			if s := eng.Stats(); len(s.Failures) > 0 {
				t.Errorf("failures %v", s.Failures)
			}
		})
	}
}
