package pcapfile

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

const (
	maxRecord = 262144 // bytes of one packet, as libpcap has it
	readAhead = 1 << 16
)

// A reader gives the packets of a capture that an engine can play, one after the other.
type reader struct {
	file    string
	sel     Select
	source  source
	classic *classicReader // nil for pcapng
	ng      *ngReader      // nil for the other
	record  int            // packets read, those skipped included
	skipped int            // of another link type, empty or not IP
	foreign uint16         // the link type of one that was skipped
}

// source is a file format.
type source interface {
	next() (raw, error) // io.EOF at the end
}

// raw is a packet as it is in the file; data is good until the next one is read.
type raw struct {
	data   []byte
	link   uint16
	time   time.Time
	device string
	dir    Direction
	note   []byte // good until the next block
}

// Record is a packet of a capture as an engine takes it. Data is good until the next one
// is read.
type Record struct {
	Data   []byte
	Link   packet.LinkType
	Time   time.Time // the zero time where the file has none
	Device string    // name of the interface; "" where the file has none
	Dir    Direction

	comment []byte // what the file says about the packet, of several remarks the first
}

// Comment is what the file says about the packet, "" for nothing. It is good as long as
// Data is.
func (r Record) Comment() string { return string(r.comment) }

// Select says which packets of a capture are meant. The zero value is all.
type Select struct {
	Device string    // of this interface only
	Dir    Direction // of this direction, or of none
}

func (s Select) wants(r *raw) bool {
	return (s.Device == "" || s.Device == r.device) && (s.Dir == Either || r.dir == Either || s.Dir == r.dir)
}

// newReader finds out what in is, which may be compressed by gzip.
func newReader(in io.Reader, file string, sel Select) (*reader, error) {
	r := &reader{file: file, sel: sel}
	br := bufio.NewReaderSize(in, readAhead)
	magic, err := br.Peek(4)
	if err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		var z *gzip.Reader
		if z, err = gzip.NewReader(br); err == nil {
			br = bufio.NewReaderSize(z, readAhead)
			magic, err = br.Peek(4)
		}
	}
	if err != nil {
		return nil, r.fail(ErrFormat, tooSoon(err))
	}
	if binary.BigEndian.Uint32(magic) == blockSection {
		r.ng = &ngReader{r: br}
		r.source = r.ng
		if err := r.ng.begin(); err != nil {
			return nil, r.fail(ErrDamaged, err)
		}
		return r, nil
	}
	if r.classic, err = newClassic(br); err != nil {
		return nil, r.fail(ErrFormat, err)
	}
	r.source = r.classic
	if _, ok := playable(r.classic.link); !ok {
		return nil, r.unplayable(r.classic.link)
	}
	return r, nil
}

// next returns the next packet; io.EOF at the end of the file, and an *Error where it
// cannot be read on.
func (r *reader) next() (Record, error) {
	for {
		p, err := r.source.next()
		if err == io.EOF {
			return Record{}, err
		}
		r.record++
		if err != nil {
			return Record{}, r.fail(ErrDamaged, err)
		}
		if !r.sel.wants(&p) {
			continue
		}
		link, ok := playable(p.link)
		if !ok {
			r.foreign = p.link
		} else if data := strip(p.data, p.link); len(data) > 0 {
			return Record{data, link, p.time, p.device, p.dir, p.note}, nil
		}
		r.skipped++
	}
}

func (r *reader) unplayable(linkType uint16) error {
	e := r.fail(ErrLinkType, fmt.Errorf("link type %d", linkType))
	e.Fix = "https://www.tcpdump.org/linktypes.html says what that is; Ethernet, raw IP, BSD loopback and Linux cooked captures can be played"
	return e
}

func (r *reader) fail(kind, err error) *Error {
	return &Error{File: r.file, Record: r.record, Kind: kind, Err: err}
}

// tooSoon is the error of a file that ends in the middle of something.
func tooSoon(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends too soon")
	}
	return err
}
