package pcapfile

import "encoding/binary"

// begin appends the head of a block, whose length end fills in.
func begin(b []byte, kind uint32) []byte {
	b = binary.LittleEndian.AppendUint32(b, kind)
	return append(b, 0, 0, 0, 0)
}

// end appends the length and writes it to the head of the block, which began at from.
func end(b []byte, from int) []byte {
	n := uint32(len(b) - from + 4)
	binary.LittleEndian.PutUint32(b[from+4:], n)
	return binary.LittleEndian.AppendUint32(b, n)
}

// pad fills up to a multiple of four bytes, which what began at from may lack.
func pad(b []byte, from int) []byte {
	for (len(b)-from)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// option appends one option; v may be of a string or of bytes.
func option[T string | []byte](b []byte, code uint16, v T) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(v)))
	from := len(b)
	return pad(append(b, v...), from)
}

// appendSection is a section header block, of unknown length, with a comment if there is
// one to make.
func appendSection(b []byte, note string) []byte {
	from := len(b)
	b = begin(b, blockSection)
	b = binary.LittleEndian.AppendUint32(b, byteOrderMagic)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint64(b, 1<<64-1)
	b = option(b, 4, "tunscript") // shb_userappl
	if note != "" {
		b = option(b, optComment, note)
	}
	b = option(b, optEnd, "")
	return end(b, from)
}

// appendInterface is an interface description block.
func appendInterface(b []byte, dev netdev) []byte {
	from := len(b)
	b = begin(b, blockInterface)
	b = binary.LittleEndian.AppendUint16(b, number(dev.link))
	b = append(b, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, 0) // no snaplen
	b = option(b, optName, dev.name)
	b = option(b, optResolution, "\x09") // nanoseconds
	b = option(b, optEnd, "")
	return end(b, from)
}

// appendPacket is an enhanced packet block.
func appendPacket(b []byte, id uint32, p *entry) []byte {
	from, stamp := len(b), uint64(p.time.UnixNano())
	b = begin(b, blockEnhanced)
	for _, v := range [...]uint32{id, uint32(stamp >> 32), uint32(stamp), uint32(len(p.data)), uint32(len(p.data))} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	data := len(b)
	b = pad(append(b, p.data...), data)
	if p.dir != 0 {
		b = binary.LittleEndian.AppendUint16(b, optFlags)
		b = binary.LittleEndian.AppendUint16(b, 4)
		b = binary.LittleEndian.AppendUint32(b, uint32(p.dir))
	}
	if len(p.comment) > 0 {
		b = option(b, optComment, p.comment)
	}
	b = option(b, optEnd, "")
	return end(b, from)
}
