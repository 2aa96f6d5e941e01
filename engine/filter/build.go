package filter

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/tunscript/tunscript/engine/packet"
)

// And matches what all of fs match, asked in order; no filter matches everything.
func And(fs ...*Filter) *Filter { return join(" and ", node.and, node{always, always}, fs) }

// Or matches what any of fs matches, asked in order; no filter matches nothing.
func Or(fs ...*Filter) *Filter { return join(" or ", node.or, node{never, never}, fs) }

func join(word string, f func(a, b node) node, n node, fs []*Filter) *Filter {
	texts := make([]string, len(fs))
	for i, g := range fs {
		n = f(n, g.tree())
		texts[i] = "(" + g.String() + ")"
	}
	return newFilter(strings.Join(texts, word), n)
}

// Not matches what f does not. But where f was compiled from text and asks for
// bytes behind the end of the packet, neither matches, as in libpcap.
func Not(f *Filter) *Filter { return newFilter("not ("+f.String()+")", f.tree().not()) }

func (f *Filter) tree() node {
	if f.none() {
		f = anything
	}
	return node{f.by[packet.IP].cond, f.by[packet.Ethernet].cond}
}

// Has matches packets with the layer.
func Has(l Layer) *Filter {
	return Func(l.String(), func(p *packet.Packet) bool {
		_, ok := l.find(p)
		return ok
	})
}

// Field matches packets whose layer l has v in the bits mask of the size bytes (1, 2
// or 4) at off, big-endian. Packets without the layer, or with less of it, do not
// match. A checksum reads as it will leave.
func Field(l Layer, off, size int, mask, v uint32) *Filter {
	text := fmt.Sprintf("%s[%d:%d] & 0x%x = %d", l, off, size, mask, v)
	if off < 0 || size != 1 && size != 2 && size != 4 {
		return newFilter(text, node{never, never})
	}
	c := masked(load{place: fromLayer, layer: l, off: uint32(off), size: uint8(size), leaves: true}, mask, v)
	return newFilter(text, node{c, c})
}

// Port matches TCP or UDP packets from or to port n.
func Port(l Layer, n uint16) *Filter {
	f := Or(Field(l, 0, 2, 0xffff, uint32(n)), Field(l, 2, 2, 0xffff, uint32(n)))
	f.text = fmt.Sprintf("%s port %d", l, n)
	return f
}

// Src matches IP packets from an address in the prefix.
func Src(p netip.Prefix) *Filter { return address("src", p, 12, 8) }

// Dst matches IP packets to an address in the prefix.
func Dst(p netip.Prefix) *Filter { return address("dst", p, 16, 24) }

func address(name string, p netip.Prefix, at4, at6 int) *Filter {
	layer, at := IP4, at4
	if p.Addr().Is6() {
		layer, at = IP6, at6
	}
	fs := []*Filter{Has(layer)} // for ::/0, which asks no byte
	raw := p.Addr().AsSlice()
	for i, bits := 0, p.Bits(); bits > 0; i, bits = i+4, bits-32 {
		mask := ^uint32(0) << max(0, 32-bits)
		fs = append(fs, Field(layer, at+i, 4, mask, binary.BigEndian.Uint32(raw[i:])&mask))
	}
	f := And(fs...)
	f.text = fmt.Sprintf("%s net %s", name, p)
	if !p.IsValid() {
		return newFilter(f.text, node{never, never})
	}
	return f
}

// Func matches what fn says; name stands for it in String. fn must be quick, must
// not keep or change the packet, and must be safe for concurrent use. An index
// cannot see into it: put what can be said otherwise before it, by And. A nil fn matches
// nothing.
func Func(name string, fn func(*packet.Packet) bool) *Filter {
	if fn == nil {
		return newFilter(name, node{never, never})
	}
	c := &cond{op: cFunc, fn: fn}
	return newFilter(name, node{c, c})
}
