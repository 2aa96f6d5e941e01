package filter

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// grammar makes filter texts that are right, or nearly.
type grammar struct{ r *rand.Rand }

func (g grammar) of(list ...string) string { return pick(g.r, list) }

// expr is a text of a few conditions.
func (g grammar) expr(depth int) string {
	switch n := g.r.IntN(10); {
	case depth == 0 || n < 3:
		return g.primitive()
	case n < 6:
		return g.expr(depth-1) + g.of(" and ", " && ") + g.expr(depth-1)
	case n < 8:
		return g.expr(depth-1) + g.of(" or ", " || ") + g.expr(depth-1)
	case n < 9:
		return g.of("not ", "! ", "!") + "(" + g.expr(depth-1) + ")"
	}
	return "(" + g.expr(depth-1) + ")"
}

func (g grammar) primitive() string {
	switch g.r.IntN(9) {
	case 0:
		return g.of("ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "ah")
	case 1:
		return g.of("", "ip ", "arp ") + g.of("host ", "src ", "dst ", "src host ", "dst host ", "src and dst host ") + pick(g.r, ips)
	case 2:
		return g.of("", "ip6 ") + g.of("host ", "src ", "dst ") + pick(g.r, ip6s)
	case 3:
		return g.of("", "src ", "dst ") + "net " + g.of("192.0.2.0/24", "192.0.2.0/30", "198.51.100", "203.0.113.0 mask 255.255.255.0", "2001:db8::/32", "2001:db8:0:1::/64")
	case 4:
		return g.of("", "tcp ", "udp ", "sctp ") + g.of("", "src ", "dst ", "src and dst ") + "port " + fmt.Sprint(pick(g.r, ports)) +
			g.of("", "", " or 80", " or (22 or 53)", " and not 443")
	case 5:
		a, b := pick(g.r, ports), pick(g.r, ports)
		return g.of("", "tcp ", "udp ") + g.of("", "src ", "dst ") + fmt.Sprintf("portrange %d-%d", a, b)
	case 6:
		return g.of("ip proto ", "ip6 proto ", "proto ", "ether proto ") + g.of("1", "6", "17", "0x800", "44", "58", "2054", "0")
	case 7:
		return g.of("broadcast", "multicast", "ip multicast", "ip6 multicast", "ip broadcast", "less 60", "greater 100",
			"ether host 02:00:00:00:00:01", "ether src 02:00:00:00:00:02", "vlan", "vlan 100", "ip6 protochain 6", "ip protochain 6")
	}
	return g.arith(2) + g.of(" = ", " == ", " != ", " < ", " > ", " <= ", ">=") + g.arith(1)
}

func (g grammar) arith(depth int) string {
	switch n := g.r.IntN(8); {
	case n < 3 || depth == 0 && n < 6:
		off, size := g.of("0", "1", "2", "6", "9", "12", "13", "20", "60"), g.of("", "", ":1", ":2", ":4")
		return g.of("ip", "ip6", "tcp", "udp", "icmp", "icmp6", "ether", "arp") + "[" + off + size + "]"
	case n == 3 && depth > 0:
		return g.of("ip", "tcp", "ether", "ip6", "udp") + "[" + g.arith(depth-1) + " & 15]"
	case n == 4:
		return "len"
	case n == 5 && depth > 0:
		return "(" + g.arith(depth-1) + " + 1)"
	case depth == 0:
		return g.of("0", "1", "5", "6", "17", "64", "80", "0x45", "0x0f", "255", "1000", "0xffffffff", "tcp-syn", "icmp-echo")
	}
	return g.arith(depth-1) + " " + g.of("+", "-", "*", "&", "|", "^", "<<", ">>", "/", "%") + " " + g.arith(depth-1)
}

// mutate changes a text by a word or a byte, mostly to something wrong.
func (g grammar) mutate(s string) string {
	w := strings.Fields(s)
	i := g.r.IntN(len(w))
	switch g.r.IntN(6) {
	case 0: // a word is missing
		w = append(w[:i:i], w[i+1:]...)
	case 1: // or twice
		w = append(w[:i+1:i+1], w[i:]...)
	case 2: // or another
		w[i] = g.of("and", "or", "not", "(", ")", "port", "host", "net", "src", "dst", "tcp", "ip", "80", "192.0.2.1", "len", "[0]",
			"proto", "vlan", "1", "+", "=", "mask", "/", "ether", "::1", "less", "multicast", "6-9", "0")
	case 3: // two change places
		j := g.r.IntN(len(w))
		w[i], w[j] = w[j], w[i]
	case 4: // a byte is missing
		s = strings.Join(w, " ")
		at := g.r.IntN(len(s))
		return s[:at] + s[at+1:]
	default: // or another
		s = strings.Join(w, " ")
		at := g.r.IntN(len(s))
		return s[:at] + g.of("(", ")", "[", "]", ":", ".", "-", "!", "0", "9", "x", " ", "&", "=", "/", "%") + s[at+1:]
	}
	return strings.Join(w, " ")
}
