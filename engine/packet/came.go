package packet

// Came is how a packet came in, which decides whether it may be fragmented on its
// way out: nobody but its source may fragment an IPv6 packet (RFC 8200 section 4.5).
// Above 0 it was joined from fragments, and Came is the length of the largest of
// them in bytes, its IP header included.
type Came int32

const (
	Whole Came = -1 // a device gave it, as it is
	Made  Came = 0  // it did not: it was made here
)

// Came says how the packet came in. Copies came as it did; an answer is made here.
func (p *Packet) Came() Came { return p.came }

// SetCame says how the packet came in. It is for the engine.
func (p *Packet) SetCame(c Came) { p.came = c }
