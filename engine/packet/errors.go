package packet

import (
	"fmt"
	"net/netip"
)

// A FieldError says why a field cannot be set. The packet is unchanged.
type FieldError struct {
	Field string // "ip4.src", "tcp.options", "bytes"
	Why   string // what is wrong and what would be right
}

func (e *FieldError) Error() string { return "packet: " + e.Field + ": " + e.Why }

// wrongFamily refuses an address that does not fit a header of IP version v.
func wrongFamily(field string, a netip.Addr, v int) error {
	if !a.IsValid() {
		return &FieldError{field, fmt.Sprintf("the address is not set: give an IPv%d address", v)}
	}
	return &FieldError{field, fmt.Sprintf("%v is no IPv%d address: give one", a, v)}
}

// outside refuses n bytes at off that are not all in the frame.
func (p *Packet) outside(off, n int) error {
	return &FieldError{"bytes", fmt.Sprintf("%d to %d is outside the packet's %d bytes: look at Len first", off, off+n, p.Len())}
}

// absent refuses a field that IPv6 has not.
func absent(field string) error {
	return &FieldError{field, "this packet has no such field: IPv6 carries it only in a fragment header, if at all"}
}
