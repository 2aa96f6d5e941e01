package packet

// String is one line in the manner of tcpdump.
func (p *Packet) String() string { return string(p.AppendString(nil)) }

// AppendString appends the line that String returns to b.
func (p *Packet) AppendString(b []byte) []byte { return b }
