package packet

// Came is how a packet came in, which decides whether it may be fragmented on its
// way out: nobody but its source may fragment an IPv6 packet (RFC 8200 section 4.5).
// The zero Came is that of a packet that was made here.
type Came struct {
	In      bool // a device gave it
	Largest int  // length of the largest fragment that it was joined from, its IP header included; 0: it came whole
}

// Came says how the packet came in. Copies came as it did; an answer is made here.
func (p *Packet) Came() Came { return p.came }

// SetCame says how the packet came in. It is for the engine.
func (p *Packet) SetCame(c Came) { p.came = c }
