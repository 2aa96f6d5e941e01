package luabind

import (
	"maps"
	"math"

	"github.com/tunscript/tunscript/engine/packet"
)

// sumView is a header with a checksum of its own.
type sumView interface {
	Checksum() uint16
	SetChecksum(uint16)
	ResetChecksum()
}

// portView is what TCP and UDP have in common.
type portView interface {
	Sport() uint16
	SetSport(uint16)
	Dport() uint16
	SetDport(uint16)
	sumView
}

// portFields are sport, dport and checksum, and the others given.
func portFields[V portView](get func(p *packet.Packet) V, sum string, others map[string]*field) map[string]*field {
	fields := map[string]*field{
		"sport": number(math.MaxUint16, "source port",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Sport()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetSport(uint16(v)); return nil }),
		"dport": number(math.MaxUint16, "destination port",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Dport()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetDport(uint16(v)); return nil }),
		"checksum": sumField(sum, get),
	}
	maps.Copy(fields, others)
	return fields
}

// sumField is the checksum of a transport header.
func sumField[V sumView](doc string, get func(p *packet.Packet) V) *field {
	return checksum(doc,
		func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Checksum()), true },
		func(p *packet.Packet, v uint16) { get(p).SetChecksum(v) },
		func(p *packet.Packet) { get(p).ResetChecksum() })
}
