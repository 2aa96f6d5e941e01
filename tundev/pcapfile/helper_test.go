package pcapfile_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// classic is a pcap file of microseconds: packets one second apart.
func classic(order binary.AppendByteOrder, linkType uint32, packets ...[]byte) []byte {
	b := order.AppendUint32(nil, 0xa1b2c3d4)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	b = order.AppendUint64(b, 0)
	b = order.AppendUint32(b, 0) // snaplen 0, as some write it
	b = order.AppendUint32(b, linkType)
	for i, p := range packets {
		for _, v := range []uint32{1000 + uint32(i), 5, uint32(len(p)), uint32(len(p))} {
			b = order.AppendUint32(b, v)
		}
		b = append(b, p...)
	}
	return b
}

// ping4 and ping6 are the smallest of their kind.
func ping4() []byte {
	b := []byte{0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 8, 0, 0, 0, 0, 1, 0, 1}
	binary.BigEndian.PutUint16(b[10:], packet.Checksum(b[:20]))
	binary.BigEndian.PutUint16(b[22:], packet.Checksum(b[20:]))
	return b
}

func ping6() []byte {
	b := append([]byte{0x60, 0, 0, 0, 0, 8, 59, 64}, make([]byte, 40)...)
	copy(b[8:], []byte{0x20, 0x01, 0x0d, 0xb8})
	copy(b[24:], []byte{0x20, 0x01, 0x0d, 0xb8})
	return b
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// attach gives the device to a worker that does not run.
func attach(t testing.TB, d *pcapfile.Device, env engine.Env) engine.Queue {
	t.Helper()
	if env.Now == nil {
		env.Now = time.Now
	}
	qs, err := d.Attach(env)
	if err != nil {
		t.Fatal(err)
	}
	return qs[0]
}

// readAll is all packets of the queue, and the error at its end.
func readAll(q engine.Queue) (all []*packet.Packet, err error) {
	for {
		ps := make([]*packet.Packet, 7)
		n, err := q.Read(ps, nil)
		all = append(all, ps[:n]...)
		if err != nil || n == 0 {
			return all, err
		}
	}
}

// play is a device for the bytes of a file, and all that comes of it.
func play(t testing.TB, file []byte) (*pcapfile.Device, []*packet.Packet, error) {
	t.Helper()
	d, err := pcapfile.Play(bytes.NewReader(file), nil, pcapfile.Config{Name: "test"})
	if err != nil {
		return nil, nil, err
	}
	q := attach(t, d, engine.Env{})
	defer q.Close()
	ps, err := readAll(q)
	if err == io.EOF {
		err = nil
	}
	return d, ps, err
}

func mustParse(t testing.TB, b []byte, link packet.LinkType) *packet.Packet {
	t.Helper()
	p, err := packet.Parse(b, link)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
