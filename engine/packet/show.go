package packet

import "fmt"

// Show is the packet as a tree: its headers, every field of them in the words of the
// Lua API, and as hex what no field tells. What is wrong has a note, as has what a
// number means.
//
//	ip
//	  src = "192.0.2.1"
//	  checksum = 0x1234 -- wrong: 0xf6c0 is right
//	payload, 5 bytes
//	  0x0000:  6865 6c6c 6f                             hello
func (p *Packet) Show() string { return string(p.AppendShow(make([]byte, 0, p.Len()*5+1500))) }

// AppendShow appends the tree that Show returns to b.
func (p *Packet) AppendShow(b []byte) []byte {
	b = append(append(b, "packet -- "...), p.String()...)
	b = append(b, '\n')
	if p.Len() == 0 {
		return b
	}
	b = p.showSelf(b)
	src := Packet{buf: p.Append(nil), end: p.Len(), link: p.link, fixed: p.fixed, pad: p.pad}
	list, rest := src.headers()
	for _, h := range list {
		b = append(append(b, h.name...), '\n')
		for _, f := range h.fields {
			b = showLine(b, f.name, f.text, f.note)
		}
	}
	end := max(src.Layout().End, rest)
	b = showBytes(b, "payload", src.buf[rest:end], src.quoted(rest))
	return showBytes(b, "padding", src.buf[end:], "")
}

// showSelf is what is known of the packet besides its bytes.
func (p *Packet) showSelf(b []byte) []byte {
	if p.In != nil {
		b = showLine(b, "device", `"`+p.In.Name+`"`, "")
	}
	if p.Out != nil {
		b = showLine(b, "out", `"`+p.Out.Name+`"`, "")
	}
	if !p.Time.IsZero() {
		b = showLine(b, "time", fmt.Sprintf("%.6f", float64(p.Time.UnixNano())/1e9), p.Time.UTC().Format("2006-01-02 15:04:05.000000"))
	}
	b = showLine(b, "len", fmt.Sprint(p.Len()), "")
	if n := p.Segments(); n > 1 {
		b = showLine(b, "segments", fmt.Sprint(n), "")
	}
	return b
}

func showLine(b []byte, name, text, note string) []byte {
	b = append(append(append(b, "  "...), name...), " = "...)
	b = append(b, text...)
	if note != "" {
		b = append(append(b, " -- "...), note...)
	}
	return append(b, '\n')
}

func showBytes(b []byte, name string, data []byte, note string) []byte {
	if len(data) == 0 {
		return b
	}
	b = fmt.Appendf(b, "%s, %d bytes", name, len(data))
	if note != "" {
		b = append(append(b, " -- "...), note...)
	}
	b = append(b, '\n')
	for off := 0; off < len(data); off += 16 {
		b = append(b, ' ', ' ')
		b = appendHexLine(b, off, data[off:min(off+16, len(data))], true)
	}
	return b
}

// quoted is the packet that an ICMP error is about, in one line.
func (p *Packet) quoted(rest int) string {
	icmp, is4 := p.ICMP()
	icmp6, is6 := p.ICMPv6()
	if !(is4 && icmp.IsError() || is6 && icmp6.IsError()) {
		return ""
	}
	q := Packet{buf: p.buf[:p.Layout().End], off: rest, end: p.Layout().End}
	if q.Layout().Version == 0 {
		return ""
	}
	return "about " + q.String()
}
