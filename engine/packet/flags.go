package packet

import (
	"fmt"
	"strings"
)

// Flags are the flag bits of a TCP header (RFC 9293 section 3.1).
type Flags uint8

// The bits, lowest first.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

const flagLetters = "FSRPAUEC"

// String is the letters of the bits that are set, in the order FSRPAUEC: "SA"
// for a SYN-ACK, "" for none.
func (f Flags) String() string {
	var b [8]byte
	return string(f.append(b[:0]))
}

func (f Flags) append(b []byte) []byte {
	for i := range flagLetters {
		if f&(1<<i) != 0 {
			b = append(b, flagLetters[i])
		}
	}
	return b
}

// Has reports whether all bits of want are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// ParseFlags reads the letters FSRPAUEC in any order, each at most once.
func ParseFlags(s string) (Flags, error) {
	var f Flags
	for _, c := range s {
		i := strings.IndexRune(flagLetters, c)
		switch {
		case c == '.':
			return 0, flagsError(s, fmt.Sprintf("ACK is A here, not a dot: write %q", strings.ReplaceAll(s, ".", "A")))
		case c == 'W':
			return 0, flagsError(s, fmt.Sprintf("CWR is C here: write %q", strings.ReplaceAll(s, "W", "C")))
		case i < 0 && c >= 'a' && c <= 'z':
			return 0, flagsError(s, fmt.Sprintf("flags are capitals: write %q", strings.ToUpper(s)))
		case i < 0:
			return 0, flagsError(s, fmt.Sprintf("%q is no flag: the letters are %s", c, flagLetters))
		case f&(1<<i) != 0:
			return 0, flagsError(s, fmt.Sprintf("%q stands twice: write it once", c))
		}
		f |= 1 << i
	}
	return f, nil
}

func flagsError(s, why string) error {
	return &FieldError{"tcp.flags", fmt.Sprintf("%q: %s", s, why)}
}
