package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// HostPort is the far end of a link: a name or an address, and a port. The zero
// value is none.
type HostPort struct {
	Host string // a literal IPv6 address has no brackets
	Port uint16
}

// String returns what net.Dial takes.
func (h HostPort) String() string { return net.JoinHostPort(h.Host, strconv.Itoa(int(h.Port))) }

// prefix reads an address with the length of its network.
func prefix(v any) (netip.Prefix, error) {
	const example = `such as "192.0.2.1/24" or "2001:db8::1/64"`
	s, ok := v.(string)
	if !ok {
		return netip.Prefix{}, wrong(example, "wants an address with a prefix length, not %s", describe(v))
	}
	if s == "default" {
		return netip.Prefix{}, wrong(`did you mean "0.0.0.0/0" or "::/0"?`, `"default" has no family`)
	}
	a, bits, found := strings.Cut(s, "/")
	addr, err := plainAddr(a)
	if err != nil {
		if p, ok := err.(*problem); ok && found && strings.HasPrefix(p.hint, "did you mean") {
			p.hint = "" // it lacks the length
		}
		return netip.Prefix{}, err
	}
	if !found {
		return netip.Prefix{}, wrong(fmt.Sprintf("did you mean \"%s/%d\"?", addr, addr.BitLen()), "%s lacks the length of its network", s)
	}
	p, err := netip.ParsePrefix(s)
	if err == nil {
		return p, nil
	}
	if mask, err := netip.ParseAddr(bits); err == nil && mask.Is4() && addr.Is4() {
		if ones, size := net.IPMask(mask.AsSlice()).Size(); size > 0 {
			return p, wrong(fmt.Sprintf("did you mean \"%s/%d\"?", addr, ones), "%q has a mask, not a length", s)
		}
	}
	return p, wrong("", "%q has no prefix length of 0 to %d", s, addr.BitLen())
}

// address reads an address alone.
func address(v any) (netip.Addr, error) {
	s, ok := v.(string)
	if !ok {
		return netip.Addr{}, wrong(`such as "192.0.2.2"`, "wants an address, not %s", describe(v))
	}
	if a, _, found := strings.Cut(s, "/"); found {
		hint := ""
		if addr, err := plainAddr(a); err == nil {
			hint = fmt.Sprintf("did you mean %q?", addr)
		}
		return netip.Addr{}, wrong(hint, "wants an address without a prefix length, not %q", s)
	}
	return plainAddr(s)
}

// plainAddr reads an address that can stand in a packet: no zone, and no IPv4
// in the clothes of IPv6 (RFC 4291 2.5.5.2).
func plainAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case s == "":
		return a, wrong("leave it out, or write []", "is empty")
	case err != nil:
		return a, wrong(addrHint(s), "%q is no address", s)
	case a.Zone() != "":
		return a, wrong(fmt.Sprintf("did you mean %q?", a.WithZone("")), "%q has a zone, but the device is the zone", s)
	case a.Is4In6():
		return a, wrong(fmt.Sprintf("did you mean %q?", a.Unmap()), "%q is an IPv4 address written as IPv6", s)
	}
	return a, nil
}

// addrHint says what is wrong with text that looks like an address.
func addrHint(s string) string {
	parts := strings.Split(s, ".")
	if strings.Contains(s, ":") {
		return ""
	}
	for _, part := range parts {
		n, err := strconv.Atoi(part)
		switch {
		case err != nil:
			return ""
		case n > 255:
			return fmt.Sprintf("%d is above 255", n)
		case len(part) > 1 && part[0] == '0':
			return fmt.Sprintf("write %d without a leading zero", n)
		}
	}
	if len(parts) > 1 && len(parts) != 4 {
		return fmt.Sprintf("it has %d numbers instead of 4", len(parts))
	}
	return ""
}

// addrPort reads an address to listen on.
func addrPort(v any) (netip.AddrPort, error) {
	const example = `such as "127.0.0.1:9100" or "[::1]:9100"`
	s, ok := v.(string)
	if !ok {
		return netip.AddrPort{}, wrong(example, "wants an address and a port, not %s", describe(v))
	}
	if s == "" {
		return netip.AddrPort{}, nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err == nil {
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
			return ap, wrong(fmt.Sprintf("did you mean %q?", netip.AddrPortFrom(a, 9100)), "%q has no port", s)
		}
		return ap, wrong(example, "%q is no address and port", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return ap, wrong("", "%q has no port of 0 to 65535", s)
	}
	switch host {
	case "localhost":
		return ap, wrong(fmt.Sprintf(`did you mean "127.0.0.1:%s"?`, port), "%q is a name, here it wants an address", s)
	case "", "*":
		return ap, wrong(fmt.Sprintf(`did you mean "127.0.0.1:%s", or "[::]:%s" for all addresses?`, port, port), "%q has no address", s)
	}
	return ap, wrong(addrHint(host), "%q is no address and port", s)
}

// hostPort reads an address to connect to, which may be a name.
func hostPort(v any) (HostPort, error) {
	const example = `such as "198.51.100.7:7001" or "host.example:7001"`
	s, ok := v.(string)
	if !ok {
		return HostPort{}, wrong(example, "wants a host and a port, not %s", describe(v))
	}
	if s == "" {
		return HostPort{}, nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		if a, err := netip.ParseAddr(s); err == nil && a.Is6() {
			return HostPort{}, wrong(fmt.Sprintf(`such as "[%s]:7001"`, s), "%q has no port, and IPv6 wants brackets before one", s)
		}
		return HostPort{}, wrong(example, "%q is no host and port", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return HostPort{}, wrong("", "%q has no port of 1 to 65535", s)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return HostPort{a.Unmap().String(), uint16(n)}, nil
	}
	if !isHostName(host) {
		return HostPort{}, wrong(addrHint(host), "%q is no name of a host", host)
	}
	return HostPort{host, uint16(n)}, nil
}

// isHostName is RFC 1123 2.1 with the underscore that people use. A name whose
// last label is a number would be an address (the WHATWG rule).
func isHostName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || !isBare(l) {
			return false
		}
	}
	_, err := strconv.Atoi(labels[len(labels)-1])
	return len(s) <= 253 && err != nil
}
