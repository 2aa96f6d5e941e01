package packet

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// An Extension is one IPv6 extension header (RFC 8200 section 4): ProtoHopByHop,
// ProtoRouting, ProtoFragment, ProtoDestOpts or ProtoAH.
type Extension struct {
	Kind uint8
	Data []byte // the whole header. Its first byte says what follows and is written where it is set
}

// Extensions goes through the extension headers that are wholly there, each by
// its number and its raw bytes, which are the packet's own: read them before the
// next change.
func (v IPv6View) Extensions() iter.Seq2[uint8, []byte] {
	return func(yield func(uint8, []byte) bool) {
		l, b := v.p.Layout(), v.p.frame()
		if l.Version != 6 {
			return
		}
		next, at := b[l.L3+6], l.L3+ip6Len
		for {
			n := extLen(next, b[at:l.End])
			if n <= 0 || !yield(next, b[at:at+n]) {
				return
			}
			if next == ProtoFragment && binary.BigEndian.Uint16(b[at+2:])&^7 > 0 {
				return // the rest is in the middle of something
			}
			next, at = b[at], at+n
		}
	}
}

// SetExtensions replaces all extension headers that are wholly there; what follows
// them, and its number, stays. The transport checksum of a packet that becomes a
// fragment is finished first: it covers all fragments.
func (v IPv6View) SetExtensions(list ...Extension) error {
	l := *v.p.Layout()
	if l.Version != 6 {
		return nil
	}
	var all []byte // copied, as the list may be of this packet's own bytes
	starts := []int{}
	for i, e := range list {
		if n := extLen(e.Kind, e.Data); n < 0 {
			return &FieldError{"ip6.extensions", fmt.Sprintf("%d is no extension header: give 0, 43, 44, 51 or 60", e.Kind)}
		} else if n == 0 || n != len(e.Data) {
			return &FieldError{"ip6.extensions", fmt.Sprintf("header %d, of kind %d, has %d bytes, which is not what its second byte says: give a whole header", i+1, e.Kind, len(e.Data))}
		}
		starts = append(starts, len(all))
		all = append(all, e.Data...)
	}
	was := 0
	for _, data := range v.Extensions() {
		was += len(data)
	}
	if l.End-l.L3-was+len(all) > ip6Len+65535 {
		return tooLong("ip6.extensions")
	}
	for i, at := range starts {
		all[at] = l.Proto
		if i+1 < len(list) {
			all[at] = list[i+1].Kind
		}
	}
	if v.p.gso.Size == 0 {
		v.p.Finish()
	}
	e := v.p.sumErrors()
	v.p.resizeAt(l.L3+ip6Len, was, len(all), false)
	f := v.p.frame()[l.L3:]
	f[6] = l.Proto
	if len(list) > 0 {
		f[6] = list[0].Kind
	}
	copy(f[ip6Len:], all)
	v.p.touch()
	if at := v.p.Layout().sumAt(); at == 0 {
		e.hasTrans = false // it is no longer seen, for instance behind a fragment offset
	}
	v.p.restore(e)
	return nil
}
