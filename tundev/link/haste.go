package link

import (
	"encoding/binary"
	"net"
	"time"
)

// haste gives what a peer has begun a time by which it must be there. It belongs to who
// reads the connection.
type haste struct {
	c     *net.TCPConn
	stall time.Duration
	by    [2]time.Time // zero: none has begun
}

// What may have begun.
const (
	aFrame = iota
	aRecord
)

func (h *haste) begin(what int) { h.set(what, time.Now().Add(h.stall)) }

func (h *haste) end(what int) {
	if !h.by[what].IsZero() {
		h.set(what, time.Time{})
	}
}

func (h *haste) set(what int, by time.Time) {
	h.by[what] = by
	first := h.by[0]
	if other := h.by[1]; first.IsZero() || !other.IsZero() && other.Before(first) {
		first = other
	}
	h.c.SetReadDeadline(first)
}

// records is the connection below TLS, which gives nothing of a record (RFC 8446, section
// 5.1) before all of it is there: so whoever reads it does not see that one has begun.
type records struct {
	*net.TCPConn
	hurry *haste
	head  [5]byte // type, version, length
	have  int     // bytes of head
	rest  int     // bytes behind it, still to come
}

func (r *records) Read(b []byte) (int, error) {
	n, err := r.TCPConn.Read(b)
	if n > 0 {
		switch ended := r.walk(b[:n]); {
		case r.have == 0:
			r.hurry.end(aRecord)
		case ended || r.hurry.by[aRecord].IsZero():
			r.hurry.begin(aRecord)
		}
	}
	return n, err
}

// walk says whether a record has come to its end in b.
func (r *records) walk(b []byte) (ended bool) {
	for len(b) > 0 {
		if r.rest == 0 {
			n := copy(r.head[r.have:], b)
			r.have += n
			b = b[n:]
			if r.have < len(r.head) {
				return ended
			}
			r.rest = int(binary.BigEndian.Uint16(r.head[3:]))
		}
		n := min(r.rest, len(b))
		r.rest -= n
		b = b[n:]
		if r.rest == 0 {
			r.have, ended = 0, true
		}
	}
	return ended
}
