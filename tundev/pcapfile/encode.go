package pcapfile

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// Format is a file format.
type Format uint8

const (
	NG      Format = iota // pcapng: interfaces, directions and comments
	Classic               // pcap: packets of one link type, nothing else
)

// formatOf goes by the ending.
func formatOf(path string) Format {
	if strings.EqualFold(filepath.Ext(path), ".pcap") {
		return Classic
	}
	return NG
}

// Direction is which way a packet went, as the engine sees it; the value of epb_flags.
type Direction uint8

const (
	Either   Direction = 0 // the file does not say
	Inbound  Direction = 1
	Outbound Direction = 2
)

// An entry is a packet to be written.
type entry struct {
	device  string
	link    packet.LinkType
	time    time.Time
	dir     Direction
	comment []byte
	data    []byte
}

// An encoder appends to a buffer what goes into the file. Times are in nanoseconds in
// both formats.
type encoder struct {
	format Format
	link   packet.LinkType // of all packets, in a classic file
	ifaces map[netdev]uint32
	note   string // about the whole file, in pcapng
}

// netdev is what makes an interface of a pcapng file.
type netdev struct {
	name string
	link packet.LinkType
}

func newEncoder(f Format, link packet.LinkType) *encoder {
	return &encoder{format: f, link: link, ifaces: map[netdev]uint32{}}
}

// number is the link type in a file.
func number(l packet.LinkType) uint16 {
	if l == packet.Ethernet {
		return linkEthernet
	}
	return linkRaw
}

// header begins the file.
func (e *encoder) header(b []byte) []byte {
	if e.format == NG {
		return appendSection(b, e.note)
	}
	le := binary.LittleEndian
	b = le.AppendUint32(b, magicNano)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 4)
	b = le.AppendUint64(b, 0) // time zone and accuracy, always 0
	b = le.AppendUint32(b, maxRecord)
	return le.AppendUint32(b, uint32(number(e.link)))
}

// packet appends one; false if a classic file cannot hold it, being of another link type.
func (e *encoder) packet(b []byte, p *entry) ([]byte, bool) {
	if e.format == NG {
		dev := netdev{p.device, p.link}
		id, ok := e.ifaces[dev]
		if !ok {
			id = uint32(len(e.ifaces))
			e.ifaces[dev] = id
			b = appendInterface(b, dev)
		}
		return appendPacket(b, id, p), true
	}
	if p.link != e.link {
		return b, false
	}
	le := binary.LittleEndian
	b = le.AppendUint32(b, uint32(p.time.Unix()))
	b = le.AppendUint32(b, uint32(p.time.Nanosecond()))
	b = le.AppendUint32(b, uint32(len(p.data)))
	b = le.AppendUint32(b, uint32(len(p.data)))
	return append(b, p.data...), true
}
