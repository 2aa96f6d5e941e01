package packet

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// TCP option kinds (RFC 9293 section 3.1, RFC 7323, RFC 2018).
const (
	OptEnd           = 0
	OptNop           = 1
	OptMSS           = 2
	OptWScale        = 3
	OptSackPermitted = 4
	OptSack          = 5
	OptTimestamps    = 8
)

// maxOptions is what a data offset of 15 words leaves behind the fixed header.
const maxOptions = 40

// TCPOptions reads and writes the options of a TCP header in place. What cannot be
// understood, because an option's length is wrong, ends the list: nothing behind
// it is found.
//
// Writing an option of the same length changes it where it stands. Otherwise the
// header is made anew: the option goes to the end, NOPs go, and zeros pad the
// last word. The data offset, lengths and the checksum follow.
type TCPOptions struct{ p *Packet }

// A SackBlock is a received range of sequence numbers, without Right (RFC 2018).
type SackBlock struct{ Left, Right uint32 }

// Bytes is the raw options, padding included, as far as they are there. They are
// the packet's own: read them before the next change.
func (o TCPOptions) Bytes() []byte {
	l := o.p.Layout()
	if !l.transportIs(ProtoTCP) {
		return nil
	}
	return o.p.frame()[l.L4+tcpLen : l.Data]
}

// SetBytes replaces all options by b, padded with zeros to whole words. At most
// 40 bytes fit.
func (o TCPOptions) SetBytes(b []byte) error {
	l := *o.p.Layout()
	if !l.transportIs(ProtoTCP) {
		return nil
	}
	if len(b) > maxOptions {
		return &FieldError{"tcp.options", fmt.Sprintf("%d bytes, but at most %d fit: remove an option first", len(b), maxOptions)}
	}
	var opts [maxOptions]byte // b may be a part of this packet
	n := (copy(opts[:], b) + 3) &^ 3
	was, p := l.Data-l.L4-tcpLen, o.p
	limit := 65535
	if l.Version == 6 {
		limit += ip6Len
	}
	if l.End-l.L3-was+n > limit {
		return tooLong("tcp.options")
	}
	offset := p.get8(l.L4+12)&0x0f | uint8(tcpLen+n)/4<<4
	if n == was {
		p.change(l.L4+tcpLen, opts[:n])
		p.change8(l.L4+12, offset) // another one if the old was wrong
		p.touch()
		return nil
	}
	e := p.sumErrors()
	p.resizeAt(l.L4+tcpLen, was, n, true)
	f := p.frame()[l.L4:]
	f[12] = offset
	copy(f[tcpLen:], opts[:n])
	p.touch()
	p.restore(e)
	return nil
}

// All goes through the options in order, each by its kind and its data without
// kind and length. NOPs are shown; the end of the list and what follows is not.
func (o TCPOptions) All() iter.Seq2[uint8, []byte] {
	return func(yield func(uint8, []byte) bool) {
		for b := o.Bytes(); len(b) > 0 && b[0] != OptEnd; {
			n := optLen(b)
			if n == 0 || !yield(b[0], b[min(2, n):n]) {
				return
			}
			b = b[n:]
		}
	}
}

// optLen is the length of the option at the start of b, 0 if it is malformed.
func optLen(b []byte) int {
	if b[0] == OptNop {
		return 1
	}
	if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
		return 0
	}
	return int(b[1])
}

// Get returns the data of the first option of a kind, without kind and length.
// It is the packet's own bytes.
func (o TCPOptions) Get(kind uint8) (data []byte, ok bool) {
	for k, d := range o.All() {
		if k == kind {
			return d, true
		}
	}
	return nil, false
}

// Set writes the option of a kind: over the first one there is, and others of
// the kind go, or behind the rest.
func (o TCPOptions) Set(kind uint8, data []byte) error {
	if kind <= OptNop {
		return &FieldError{"tcp.options", fmt.Sprintf("kind %d is padding and has no data: use SetBytes to write it", kind)}
	}
	if len(data) > maxOptions-2 {
		return &FieldError{"tcp.options", fmt.Sprintf("%d bytes of data, but at most %d fit", len(data), maxOptions-2)}
	}
	l := o.p.Layout()
	if !l.transportIs(ProtoTCP) {
		return nil
	}
	if at, n, count := o.find(kind); count == 1 && n == len(data)+2 {
		o.p.change(at+2, data)
		return nil
	}
	var buf [2 * maxOptions]byte
	b := o.without(buf[:0], kind)
	b = append(b, kind, uint8(len(data)+2))
	return o.SetBytes(append(b, data...))
}

// Remove takes all options of a kind out and reports whether there was one.
func (o TCPOptions) Remove(kind uint8) bool {
	if _, _, count := o.find(kind); count == 0 {
		return false
	}
	var buf [maxOptions]byte
	return o.SetBytes(o.without(buf[:0], kind)) == nil
}

// Clear takes all options out.
func (o TCPOptions) Clear() { o.SetBytes(nil) } // no bytes always fit

// find returns where the first option of a kind is, how long it is with kind and
// length, and how many there are.
func (o TCPOptions) find(kind uint8) (at, n, count int) {
	b := o.Bytes()
	for i := 0; i < len(b) && b[i] != OptEnd; {
		size := optLen(b[i:])
		if size == 0 {
			break
		}
		if b[i] == kind {
			if count == 0 {
				at, n = o.p.at.L4+tcpLen+i, size
			}
			count++
		}
		i += size
	}
	return at, n, count
}

// without appends all options but NOPs and those of a kind to b.
func (o TCPOptions) without(b []byte, kind uint8) []byte {
	for k, d := range o.All() {
		if k != kind && k != OptNop {
			b = append(append(b, k, uint8(len(d)+2)), d...)
		}
	}
	return b
}

// MSS is the largest segment that the sender takes, in bytes of payload.
func (o TCPOptions) MSS() (mss uint16, ok bool) {
	if d, ok := o.Get(OptMSS); ok && len(d) == 2 {
		return binary.BigEndian.Uint16(d), true
	}
	return 0, false
}

// SetMSS sets the largest segment.
func (o TCPOptions) SetMSS(mss uint16) error {
	return o.Set(OptMSS, []byte{byte(mss >> 8), byte(mss)})
}

// WScale is by how many bits the sender's windows are shifted.
func (o TCPOptions) WScale() (shift uint8, ok bool) {
	if d, ok := o.Get(OptWScale); ok && len(d) == 1 {
		return d[0], true
	}
	return 0, false
}

// SetWScale sets the shift; RFC 7323 allows 0 to 14, and this does not judge.
func (o TCPOptions) SetWScale(shift uint8) error { return o.Set(OptWScale, []byte{shift}) }

// SackPermitted says that the sender understands SACK.
func (o TCPOptions) SackPermitted() bool {
	_, ok := o.Get(OptSackPermitted)
	return ok
}

// SetSackPermitted says whether the sender understands SACK.
func (o TCPOptions) SetSackPermitted(on bool) error {
	if !on {
		o.Remove(OptSackPermitted)
		return nil
	}
	return o.Set(OptSackPermitted, nil)
}

// Sack is the blocks of the SACK option, n of them, and whether there is one.
func (o TCPOptions) Sack() (blocks [4]SackBlock, n int, ok bool) {
	d, ok := o.Get(OptSack)
	for ; n < len(blocks) && len(d) >= 8; n++ {
		blocks[n] = SackBlock{binary.BigEndian.Uint32(d), binary.BigEndian.Uint32(d[4:])}
		d = d[8:]
	}
	return blocks, n, ok
}

// SetSack sets the SACK blocks, at most 4.
func (o TCPOptions) SetSack(blocks ...SackBlock) error {
	if len(blocks) > 4 {
		return &FieldError{"tcp.options", fmt.Sprintf("%d SACK blocks, but at most 4 fit", len(blocks))}
	}
	var buf [4 * 8]byte
	d := buf[:0]
	for _, s := range blocks {
		d = binary.BigEndian.AppendUint32(d, s.Left)
		d = binary.BigEndian.AppendUint32(d, s.Right)
	}
	return o.Set(OptSack, d)
}

// Timestamps is the sender's clock and the echo of the receiver's.
func (o TCPOptions) Timestamps() (val, ecr uint32, ok bool) {
	if d, ok := o.Get(OptTimestamps); ok && len(d) == 8 {
		return binary.BigEndian.Uint32(d), binary.BigEndian.Uint32(d[4:]), true
	}
	return 0, 0, false
}

// SetTimestamps sets both.
func (o TCPOptions) SetTimestamps(val, ecr uint32) error {
	var d [8]byte
	binary.BigEndian.PutUint32(d[:], val)
	binary.BigEndian.PutUint32(d[4:], ecr)
	return o.Set(OptTimestamps, d[:])
}
