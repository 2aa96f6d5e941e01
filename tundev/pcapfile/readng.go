package pcapfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"time"
)

// Types of pcapng blocks, and the options that we know
// (draft-ietf-opsawg-pcapng, sections 4 and 3.5).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6

	byteOrderMagic uint32 = 0x1a2b3c4d

	optEnd        = 0
	optComment    = 1
	optName       = 2 // of an interface
	optResolution = 9
	optOffset     = 14
	optFlags      = 2 // of a packet
)

const (
	maxBlock      = maxRecord + 65536 // the rest is options
	maxInterfaces = 4096
)

// ngReader reads pcapng: blocks that say at both ends how long they are. It keeps one
// block in memory, and refuses one whose lengths disagree.
type ngReader struct {
	r      *bufio.Reader
	order  binary.ByteOrder // of the section
	buf    []byte
	ifaces []iface // of the section
	note   string  // the first comment about a section
	last   time.Time
}

// iface is what an interface description says about its packets.
type iface struct {
	name   string
	link   uint16
	snap   uint32 // 0: no limit
	units  uint64 // in a second
	offset int64  // seconds
}

// fixed is how many bytes of a block's body come before the packet or the options.
func fixed(kind uint32) int {
	switch kind {
	case blockSection:
		return 16
	case blockInterface:
		return 8
	case blockSimple:
		return 4
	}
	return 20
}

// begin reads the first block: a section, or the file would not be here.
func (g *ngReader) begin() error {
	_, body, err := g.block()
	if err != nil {
		return tooSoon(err)
	}
	return g.section(body)
}

func (g *ngReader) next() (raw, error) {
	for {
		kind, body, err := g.block()
		if err != nil {
			return raw{}, err
		}
		switch kind {
		case blockSection:
			err = g.section(body)
		case blockInterface:
			err = g.describe(body)
		case blockPacket:
			return g.packet(uint32(g.order.Uint16(body)), body)
		case blockEnhanced:
			return g.packet(g.order.Uint32(body), body)
		case blockSimple:
			return g.simple(body)
		}
		if err != nil {
			return raw{}, err
		}
	}
}

// block reads one block of a kind that matters. Its body is good until the next.
func (g *ngReader) block() (kind uint32, body []byte, err error) {
	for {
		head, err := g.fill(0, 8)
		if err != nil {
			if err != io.EOF { // the end of the file may be here and nowhere else
				err = tooSoon(err)
			}
			return 0, nil, err
		}
		kind = binary.LittleEndian.Uint32(head)
		if kind == blockSection { // the same in both orders
			err = g.byteOrder()
		} else if g.order == nil {
			err = damaged("it does not begin with a section")
		} else {
			kind = g.order.Uint32(head)
		}
		if err != nil {
			return 0, nil, err
		}
		n := int64(g.order.Uint32(head[4:]))
		if n < 12 || n%4 != 0 {
			return 0, nil, damaged("a block is %d bytes long", n)
		}
		switch kind {
		case blockSection, blockInterface, blockPacket, blockSimple, blockEnhanced:
		default:
			if _, err := io.CopyN(io.Discard, g.r, n-8); err != nil {
				return 0, nil, tooSoon(err)
			}
			continue
		}
		if n > maxBlock || n < int64(12+fixed(kind)) {
			return 0, nil, damaged("a block of type %#x is %d bytes long", kind, n)
		}
		b, err := g.fill(8, int(n))
		if err != nil {
			return 0, nil, tooSoon(err)
		}
		if end := g.order.Uint32(b[n-4:]); int64(end) != n {
			return 0, nil, damaged("a block of %d bytes says at its end that it has %d", n, end)
		}
		return kind, b[8 : n-4], nil
	}
}

// fill reads on until n bytes of the block are in the buffer, of which from are.
func (g *ngReader) fill(from, n int) ([]byte, error) {
	if n > cap(g.buf) {
		g.buf = append(make([]byte, 0, max(n, 4096)), g.buf[:from]...)
	}
	g.buf = g.buf[:n]
	_, err := io.ReadFull(g.r, g.buf[from:])
	return g.buf, err
}

// byteOrder reads it off what comes next in a section.
func (g *ngReader) byteOrder() error {
	magic, err := g.r.Peek(4)
	if err != nil {
		return tooSoon(err)
	}
	switch byteOrderMagic {
	case binary.LittleEndian.Uint32(magic):
		g.order = binary.LittleEndian
	case binary.BigEndian.Uint32(magic):
		g.order = binary.BigEndian
	default:
		return damaged("the byte order mark of a section is %x", magic)
	}
	return nil
}

// section begins another list of interfaces. Version 1.2 is 1.0, spelled by mistake.
func (g *ngReader) section(body []byte) error {
	if major, minor := g.order.Uint16(body[4:]), g.order.Uint16(body[6:]); major != 1 || minor != 0 && minor != 2 {
		return damaged("version %d.%d of pcapng is not known", major, minor)
	}
	g.ifaces = g.ifaces[:0]
	return g.options(body[16:], "a section", func(code uint16, v []byte) error {
		if code == optComment && g.note == "" {
			g.note = string(v)
		}
		return nil
	})
}

// options calls each for every option up to the end. The value is good until the next
// block.
func (g *ngReader) options(opts []byte, of string, each func(code uint16, v []byte) error) error {
	for len(opts) >= 4 {
		code, n := g.order.Uint16(opts), int(g.order.Uint16(opts[2:]))
		if code == optEnd {
			break
		}
		if 4+n > len(opts) {
			return damaged("an option of %s is longer than its block", of)
		}
		if err := each(code, opts[4:4+n]); err != nil {
			return err
		}
		opts = opts[min(len(opts), 4+(n+3)&^3):]
	}
	return nil
}

func (g *ngReader) describe(body []byte) error {
	if len(g.ifaces) == maxInterfaces {
		return damaged("a section has more than %d interfaces", maxInterfaces)
	}
	f := iface{link: g.order.Uint16(body), snap: g.order.Uint32(body[4:]), units: 1e6}
	err := g.options(body[8:], "an interface", func(code uint16, v []byte) error {
		switch {
		case code == optName:
			f.name = string(v)
		case code == optResolution && len(v) == 1:
			if f.units = units(v[0]); f.units == 0 {
				return damaged("an interface counts time in units of resolution %#x", v[0])
			}
		case code == optOffset && len(v) == 8:
			f.offset = int64(g.order.Uint64(v))
		}
		return nil
	})
	g.ifaces = append(g.ifaces, f)
	return err
}

// units is how many of if_tsresol are in a second: 10 to the power of the value or, with
// the highest bit, 2; 0 if they are more than 64 bits hold.
func units(resolution byte) uint64 {
	exp := resolution & 0x7f
	switch {
	case resolution >= 0x80 && exp < 64:
		return 1 << exp
	case resolution < 0x80 && exp < 20:
		n := uint64(1)
		for range exp {
			n *= 10
		}
		return n
	}
	return 0
}

// at is the time of a stamp.
func (f iface) at(stamp uint64) time.Time {
	hi, lo := bits.Mul64(stamp%f.units, 1e9)
	ns, _ := bits.Div64(hi, lo, f.units)
	return time.Unix(int64(stamp/f.units)+f.offset, int64(ns)).UTC()
}

// packet is an enhanced or an obsolete packet block, which differ in two fields that we
// do not use. A damaged option costs the direction, not the packet.
func (g *ngReader) packet(index uint32, body []byte) (raw, error) {
	if int64(index) >= int64(len(g.ifaces)) {
		return raw{}, damaged("a packet is of interface %d, and there are %d", index, len(g.ifaces))
	}
	f := g.ifaces[index]
	g.last = f.at(uint64(g.order.Uint32(body[4:]))<<32 | uint64(g.order.Uint32(body[8:])))
	data, err := whole(body[20:], g.order.Uint32(body[12:]))
	p := raw{data: data, link: f.link, time: g.last, device: f.name}
	if err == nil {
		g.options(body[min(len(body), 20+(len(data)+3)&^3):], "a packet", func(code uint16, v []byte) error {
			switch {
			case code == optFlags && len(v) == 4:
				p.dir = Direction(g.order.Uint32(v) & 3)
			case code == optComment && p.note == nil:
				p.note = v
			}
			return nil
		})
	}
	return p, err
}

// simple is a simple packet block: no time, and its interface is the first.
func (g *ngReader) simple(body []byte) (raw, error) {
	if len(g.ifaces) == 0 {
		return raw{}, damaged("a packet comes before its interface")
	}
	f, n := g.ifaces[0], g.order.Uint32(body)
	if f.snap > 0 {
		n = min(n, f.snap)
	}
	data, err := whole(body[4:], n)
	return raw{data: data, link: f.link, time: g.last, device: f.name}, err
}

// whole is the first n bytes of b, which the block says it has.
func whole(b []byte, n uint32) ([]byte, error) {
	if n > maxRecord || int(n) > len(b) {
		return nil, damaged("a packet of %d bytes is in a block with room for %d", n, len(b))
	}
	return b[:n], nil
}

func damaged(format string, args ...any) error { return fmt.Errorf(format, args...) }
