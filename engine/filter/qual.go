package filter

// dir is a direction qualifier.
type dir uint8

const (
	anyDir dir = iota // none, or "src or dst"
	srcDir
	dstDir
	bothDir // "src and dst"
)

// A qual is what stands before an address, port or protocol and is carried over to
// the next one: "tcp dst port 80 or 81".
type qual struct {
	set   bool   // false where nothing can be carried over
	proto string // "", or a protocol's keyword
	dir   dir
	kind  string // "", "host", "net", "port", "portrange", "proto" or "protochain"
}

// either makes the condition for the direction of what only knows src or dst.
func (q qual) either(one func(src bool) *cond) *cond {
	switch q.dir {
	case srcDir:
		return one(true)
	case dstDir:
		return one(false)
	case bothDir:
		return and(one(true), one(false))
	}
	return or(one(true), one(false))
}

// isAddr reports that an address may follow.
func (q qual) isAddr() bool { return q.kind == "" || q.kind == "host" || q.kind == "net" }

// networkProtos are the protocols whose keyword names an ethertype.
var networkProtos = map[string]uint32{
	"ip": 0x0800, "arp": 0x0806, "rarp": typeRARP, "ip6": 0x86dd,
	"decnet": 0x6003, "lat": 0x6004, "sca": 0x6007, "moprc": 0x6002, "mopdl": 0x6001,
}

// A transport is a protocol whose keyword names an IP protocol.
type transport struct {
	num    uint32
	v4, v6 bool
	sum    int  // offset of its checksum, -1 if none is computed here
	index  bool // "proto[...]" looks into it
}

var transports = map[string]transport{
	"tcp": {6, true, true, 16, true}, "udp": {17, true, true, 6, true},
	"sctp": {132, true, true, -1, true}, "icmp": {1, true, false, 2, true},
	"igmp": {2, true, false, -1, true}, "igrp": {9, true, false, -1, true},
	"pim": {103, true, true, -1, true}, "vrrp": {112, true, false, -1, true},
	"carp": {112, true, false, -1, true}, "icmp6": {58, false, true, 2, true},
	"ah": {51, true, true, -1, false}, "esp": {50, true, true, -1, false},
}

// protoAlone is a protocol's keyword as a condition of its own; nil for "ether".
func (g gen) protoAlone(name string) *cond {
	if t, ok := networkProtos[name]; ok {
		return g.typ(t)
	}
	t, ok := transports[name]
	switch {
	case !ok:
		return nil
	case t.v4 && t.v6:
		return g.proto(t.num)
	case t.v4:
		return g.proto4(t.num)
	}
	return g.proto6(t.num)
}
