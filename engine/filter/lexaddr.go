package filter

import "strings"

// longest is the length of the longest start of s that is an address by its form.
// An address has at most 45 characters ("0000:..:255.255.255.255"); hex numbers in
// its last part, which libpcap's scanner takes too, make no valid address anyway.
func longest(s string, is func(string) bool) int {
	n := 0
	for n < len(s) && n < 64 && (isHex(s[n]) || s[n] == ':' || s[n] == '.' || s[n]|0x20 == 'x') {
		n++
	}
	if strings.IndexByte(s[:n], ':') < 0 {
		return 0
	}
	for ; n > 0; n-- {
		if is(s[:n]) {
			return n
		}
	}
	return 0
}

// isIPv6 reports the form of an IPv6 address: eight groups of one to four hex
// digits, or fewer and one "::"; the last two may be written as an IPv4 address.
func isIPv6(s string) bool {
	head, tail, short := strings.Cut(s, "::")
	if !short {
		n, ok := groups(head, true)
		return ok && n == 8
	}
	n, ok := groups(head, false)
	m, ok2 := groups(tail, true)
	return ok && ok2 && n+m <= 7
}

// groups counts the 16-bit groups of s, separated by single colons.
func groups(s string, quadLast bool) (n int, ok bool) {
	if s == "" {
		return 0, true
	}
	for {
		part, rest, more := strings.Cut(s, ":")
		if l, parts := quadLen(part); !more && quadLast && parts == 4 && l == len(part) {
			return n + 2, true
		}
		if len(part) < 1 || len(part) > 4 || span(part, isHex) != len(part) {
			return 0, false
		}
		n++
		if !more {
			return n, true
		}
		s = rest
	}
}

// quadLen is the length of the two to four numbers with dots between them that s
// starts with, and how many they are.
func quadLen(s string) (n, parts int) {
	for parts < 4 {
		l := numberLen(s[n:])
		if l == 0 {
			break
		}
		n += l
		parts++
		if n == len(s) || s[n] != '.' {
			return n, parts
		}
		n++
	}
	if parts == 0 {
		return 0, 0
	}
	return n - 1, parts // without the dot that nothing follows
}

// macLen is the length of the MAC address that s starts with, in one of the forms
// 1:2:3:4:5:6, 1-2-3-4-5-6, 1.2.3.4.5.6, 1122.3344.5566 and 112233445566.
func macLen(s string) int {
	best := 0
	for _, sep := range []byte(":-.") {
		if n := fields(s, sep, 6, 1, 2); n > best {
			best = n
		}
	}
	if n := fields(s, '.', 3, 4, 4); n > best {
		best = n
	}
	if n := span(s, isHex); n >= 12 && best < 12 {
		best = 12
	}
	return best
}

// fields is the length of count groups of least to most hex digits, separated by
// sep, at the start of s, or 0.
func fields(s string, sep byte, count, least, most int) int {
	n := 0
	for i := range count {
		if i > 0 {
			if n == len(s) || s[n] != sep {
				return 0
			}
			n++
		}
		l := min(span(s[n:], isHex), most)
		if l < least {
			return 0
		}
		n += l
	}
	return n
}

// oddMACLen is the length of what looks like a MAC address cut short or gone wrong,
// groups of one or two hex digits each followed by colons: "1:2:", "1::2::".
func oddMACLen(s string) int {
	n, good, count := 0, 0, 0
	for {
		l := min(span(s[n:], isHex), 2)
		if l == 0 {
			break
		}
		c := span(s[n+l:], func(b byte) bool { return b == ':' })
		if c == 0 {
			break
		}
		n += l + c
		count++
		good = n
	}
	if count < 2 {
		return 0
	}
	return good
}
