package pcapfile

import (
	"bufio"
	"encoding/binary"
	"io"
	"time"
)

// Magic numbers of classic pcap: time in microseconds, as ever, or in nanoseconds.
const (
	magicMicro = 0xa1b2c3d4
	magicNano  = 0xa1b23c4d

	fileHeader   = 24 // magic, version, zone, accuracy, snaplen, link type
	recordHeader = 16 // seconds, fraction, bytes here, bytes on the wire
)

// classicReader reads pcap (draft-ietf-opsawg-pcap).
type classicReader struct {
	r     *bufio.Reader
	order binary.ByteOrder
	frac  int64 // nanoseconds in a unit of the fraction
	link  uint16
	head  [recordHeader]byte
	buf   []byte
}

// newClassic reads the file's header.
func newClassic(r *bufio.Reader) (*classicReader, error) {
	c := &classicReader{r: r, frac: 1000}
	var h [fileHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, tooSoon(err)
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(h[:]) {
		case magicNano:
			c.frac = 1
			c.order = order
		case magicMicro:
			c.order = order
		}
	}
	if c.order == nil {
		return nil, damaged("it begins with %x, neither pcap nor pcapng", h[:4])
	}
	if major, minor := c.order.Uint16(h[4:]), c.order.Uint16(h[6:]); major != 2 || minor != 4 {
		return nil, damaged("version %d.%d of pcap is not known", major, minor)
	}
	// The snaplen is often 0 or too small, and means nothing here. The upper half of
	// the link type has flags and the length of a check sum.
	c.link = uint16(c.order.Uint32(h[20:]))
	return c, nil
}

func (c *classicReader) next() (raw, error) {
	h := c.head[:]
	if n, err := io.ReadFull(c.r, h); err != nil {
		if n > 0 {
			err = tooSoon(err)
		}
		return raw{}, err
	}
	n := c.order.Uint32(h[8:])
	if n > maxRecord {
		return raw{}, damaged("a packet says that it has %d bytes, more than %d", n, maxRecord)
	}
	if int(n) > cap(c.buf) {
		c.buf = make([]byte, max(n, 4096))
	}
	c.buf = c.buf[:n]
	if _, err := io.ReadFull(c.r, c.buf); err != nil {
		return raw{}, tooSoon(err)
	}
	at := time.Unix(int64(c.order.Uint32(h[0:])), int64(c.order.Uint32(h[4:]))*c.frac).UTC()
	return raw{data: c.buf, link: c.link, time: at}, nil
}
