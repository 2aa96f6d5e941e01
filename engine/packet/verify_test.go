package packet_test

import (
	"bytes"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// A right TCP checksum is left to the device, a wrong one stays; either way the bytes
// that leave are those that came.
func TestVerifyFreesOnlyARightTCPChecksum(t *testing.T) {
	for _, s := range samples() {
		came := bytes.Clone(build(t, s.layers...).Bytes())
		p := parse(t, came, s.link)
		_, ok := p.TCP()
		right := ok && !p.Layout().Fragment()
		p.Verify()
		if !bytes.Equal(p.Bytes(), came) {
			t.Errorf("%s: % x became % x", s.name, came, p.Bytes())
		}
		p = parse(t, came, s.link)
		p.Verify()
		if p.Unfinish() != right {
			t.Errorf("%s: the device may finish it: %t, want %t", s.name, !right, right)
		}
		if !right {
			continue
		}
		wrong := bytes.Clone(came)
		wrong[len(wrong)-1] ^= 1
		p = parse(t, wrong, s.link)
		tcp, _ := p.TCP()
		sum := tcp.Checksum()
		if p.Verify(); p.Unfinish() || !bytes.Equal(p.Bytes(), wrong) || tcp.Checksum() != sum {
			t.Errorf("%s: a wrong checksum is not what it was", s.name)
		}
	}
}

// A frame may be longer than its packet: bytes behind the IP length are no part of the
// checksum.
func TestVerifyOfAPaddedFrame(t *testing.T) {
	p := build(t, packet.Eth{Src: hostMAC, Dst: peerMAC}, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Flags: packet.ACK})
	p = parse(t, append(bytes.Clone(p.Bytes()), 1, 2, 3, 4, 5, 6), packet.Ethernet)
	p.Verify()
	if !p.Unfinish() {
		t.Error("its checksum is right, but not taken for it")
	}
}
