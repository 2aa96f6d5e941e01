package link

import (
	"encoding/binary"
	"io"

	"github.com/tunscript/tunscript/engine/packet"
)

// headLen is the length before each packet of a stream.
const headLen = 2

// frames cuts a stream into packets. It reads as much as there is at once: a system call
// for each packet would halve the speed.
type frames struct {
	r        io.Reader
	max      int // a longer one is skipped
	buf      []byte
	from, to int    // what was read and not yet given
	skip     int    // bytes of a frame that is too long, still to come
	over     uint64 // frames that have come to their end

	empty, tooBig uint64 // lengths of 0 and above max, so far
}

// newFrames reads from r, in pieces of up to 64 KiB.
func newFrames(r io.Reader, longest int) *frames {
	return &frames{r: r, max: longest, buf: make([]byte, max(64<<10, 2*(headLen+longest)))}
}

// next returns the next packet of those that were read, good until fill; false when there
// is no whole one.
func (f *frames) next() ([]byte, bool) {
	for {
		if f.skip > 0 {
			n := min(f.skip, f.to-f.from)
			f.skip -= n
			f.from += n
			if f.skip > 0 {
				return nil, false
			}
			f.over++
		}
		if f.to-f.from < headLen {
			return nil, false
		}
		n := int(binary.BigEndian.Uint16(f.buf[f.from:]))
		switch {
		case n == 0:
			f.empty++
			f.over++
			f.from += headLen
		case n > f.max:
			f.tooBig++
			f.from += headLen
			f.skip = n
		case f.to-f.from < headLen+n:
			return nil, false
		default:
			b := f.buf[f.from+headLen : f.from+headLen+n]
			f.from += headLen + n
			f.over++
			return b, true
		}
	}
}

// begun says whether a part of a frame has come, but not all of it. It is the same frame
// as at another call if over is the same.
func (f *frames) begun() bool { return f.from < f.to || f.skip > 0 }

// fill reads more, once. It is called when next has nothing left, and so always finds
// room: what is left over is less than one frame.
func (f *frames) fill() error {
	f.to = copy(f.buf, f.buf[f.from:f.to])
	f.from = 0
	n, err := f.r.Read(f.buf[f.to:])
	f.to += n
	if n > 0 {
		return nil // an error is still there at the next call
	}
	return err
}

// appendFrame appends b with its length before it.
func appendFrame(to, b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(b))), b...)
}

// cutFrame is the first of what appendFrame wrote, and the rest.
func cutFrame(b []byte) (frame, rest []byte) {
	n := headLen + int(binary.BigEndian.Uint16(b))
	return b[headLen:n], b[n:]
}

// malformed says whether a TUN or TAP device would answer EINVAL to b.
func malformed(b []byte, link packet.LinkType) bool {
	if link == packet.Ethernet {
		return len(b) < etherLen
	}
	return len(b) == 0 || b[0]>>4 != 4 && b[0]>>4 != 6
}
