package vm

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// The same formats over the same values, here and on Lua 5.3; the byte order is said,
// as the default differs, and integers are such that both hold them exactly.
func TestPackIsLua53s(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	var lines []string
	for range 6000 {
		format, values := packFormatOf(r)
		call := strings.Join(append([]string{fmt.Sprintf("%q", format)}, values...), ", ")
		switch r.IntN(5) {
		case 0, 1:
			lines = append(lines, fmt.Sprintf("string.pack(%s)", call))
		case 2: // round trip
			lines = append(lines, fmt.Sprintf("string.unpack(%q, string.pack(%s))", format, call))
		case 3:
			lines = append(lines, fmt.Sprintf("string.packsize(%q)", format))
		case 4: // of bytes of chance, some bytes too few
			lines = append(lines, fmt.Sprintf(`string.unpack(%q, ("\1\0\3\0\5\0\7"):rep(%d), %d)`, noHuge(format), r.IntN(8), r.IntN(14)-4))
		}
	}
	for _, f := range []string{"i0", "i17", "I99", "c", "q", ">X", ">Xz", ">Xi3", ">!i3", ">!3i8", "!17", ">s1", ">s2", ">!4 i1 !8 d", ">!2 i1 X i8 i2"} {
		lines = append(lines, fmt.Sprintf("string.pack(%q, 1, 2, 3)", f), fmt.Sprintf("string.packsize(%q)", f), fmt.Sprintf("string.unpack(%q, 'abcdefghijklmnop')", f))
	}
	sameAs(t, "lua5.3", lines)
}

// noHuge has no option whose value on random bytes could be beyond 2^53.
func noHuge(format string) string {
	return strings.NewReplacer("z", "s1", "j", "i4", "J", "I4", "l", "i3", "L", "I3", "T", "I2", "i8", "i4", "I8", "I4", "i16", "i4", "I16", "I4", "i12", "i2", "i7", "i6", "I7", "I6", "s", "s1", "n", "f", "d", "f").Replace(format)
}

func packFormatOf(r *rand.Rand) (format string, values []string) {
	var b strings.Builder
	b.WriteString(pickOne(r, "<", ">", "> ", ">!", "<!4", ">!2"))
	for range 1 + r.IntN(5) {
		o := pickOne(r, "b", "B", "h", "H", "i", "I", "l", "L", "j", "J", "T", "i3", "I5", "i6", "I2", "i8", "i12", "I16", "f", "d", "n", "s1", "s2", "s4", "z", "c3", "c0", "x", " ", "X", "Xi2", ">", "<")
		b.WriteString(o)
		switch {
		case strings.ContainsAny(o[:1], "sz"):
			values = append(values, pickOne(r, `""`, `"ab"`, `("x"):rep(300)`, `"a\0b"`, "7"))
		case o[0] == 'c':
			values = append(values, pickOne(r, `""`, `"abc"`, `"ab"`, `"abcd"`))
		case strings.ContainsAny(o[:1], "fdn"):
			values = append(values, pickOne(r, "0", "1.5", "-2.25", "1/0", "1e300", "3"))
		case strings.ContainsAny(o[:1], "LJT"), o == "I16": // unsigned here, also beyond 2^63
			values = append(values, pickOne(r, "0", "1", "127", "256", "65535", "4294967296", "1099511627776"))
		case strings.ContainsAny(o[:1], "bBhHiIlj"):
			values = append(values, pickOne(r, "0", "1", "-1", "127", "128", "255", "256", "-128", "-129", "65535", "65536", "16777215", "4294967295", "4294967296", "1099511627776", "-2147483649"))
		}
	}
	return b.String(), values
}

// What differs from Lua 5.3 on purpose.
func TestPackHere(t *testing.T) {
	for line, want := range map[string]string{
		`(("I2"):pack(258)):byte(1, -1)`:                                "1\t2",
		`("I2"):unpack("\1\2")`:                                         "258\t3",
		`("%d"):format((string.unpack("I8", string.pack("I8", 2^53))))`: "9007199254740992",
		`string.pack("I8", 18446744073709551615)`:                       "FAILED p:1: bad argument #2 to 'pack' (number has no integer representation)",
		`select("#", string.unpack(("B"):rep(7000), ("x"):rep(7000)))`:  "7001",
	} {
		if got := strings.Join(onVM(t, "print("+line+")"), "|"); got != want {
			t.Errorf("%s is %s, want %s", line, got, want)
		}
	}
}

// However long a result would be, it is not made.
func TestPackIsBounded(t *testing.T) {
	for _, line := range []string{
		`string.pack("c2000000000", "x")`,
		`string.pack(("c1000000"):rep(100), ("x"):rep(1))`,
		`string.pack(("s4"):rep(3), ("x"):rep(900000), ("x"):rep(900000), ("x"):rep(900000))`,
		`string.unpack(("B"):rep(9000), ("x"):rep(9000))`,
		`(function() while true do string.pack(("x"):rep(100000)) end end)()`,
		`(function() while true do string.packsize(("x"):rep(100000)) end end)()`,
	} {
		got := strings.Join(onVM(t, "local x = "+line), "|")
		if !strings.HasPrefix(got, "FAILED") {
			t.Errorf("%s: %.80q", line, got)
		}
	}
}
