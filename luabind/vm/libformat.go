package vm

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// spec is one conversion of a format: flags, width, precision, verb.
type spec struct {
	minus, plus, space, alt, zero bool
	width, prec                   int // prec -1: none
	verb                          byte
}

// strFormat is string.format as C's printf makes it.
func (s *State) strFormat(L *lua.LState) int {
	format := checkString(L, 1)
	var b []byte
	arg := 1
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			break
		}
		b = append(b, format[:i]...)
		format = format[i+1:]
		if strings.HasPrefix(format, "%") {
			b = append(b, '%')
			format = format[1:]
			continue
		}
		if arg++; arg > L.GetTop() {
			argError(L, arg, "no value")
		}
		sp, n := parseSpec(L, format)
		format = format[n:]
		b = s.formatArg(L, b, sp, arg)
		if len(b) > s.lim.String {
			s.limitString(L, len(b))
		}
	}
	b = append(b, format...)
	s.limitString(L, len(b))
	pushString(L, string(b))
	return 1
}

// parseSpec reads what follows a %, and says how long it is.
func parseSpec(L *lua.LState, f string) (sp spec, n int) {
	sp.prec = -1
	for n < len(f) && strings.IndexByte("-+ #0", f[n]) >= 0 {
		switch f[n] {
		case '-':
			sp.minus = true
		case '+':
			sp.plus = true
		case ' ':
			sp.space = true
		case '#':
			sp.alt = true
		case '0':
			sp.zero = true
		}
		if n++; n >= 6 {
			raise(L, "invalid format (repeated flags)")
		}
	}
	number := func() int {
		v := 0
		for range 2 {
			if n < len(f) && isDigit(f[n]) {
				v = v*10 + int(f[n]-'0')
				n++
			}
		}
		return v
	}
	sp.width = number()
	if n < len(f) && f[n] == '.' {
		n++
		sp.prec = number()
	}
	if n < len(f) && isDigit(f[n]) {
		raise(L, "invalid format (width or precision too long)")
	}
	if n < len(f) {
		sp.verb = f[n]
		n++
	}
	return sp, n
}

func (s *State) formatArg(L *lua.LState, b []byte, sp spec, arg int) []byte {
	switch sp.verb {
	case 'c':
		body := string([]byte{byte(checkInt(L, arg))})
		text, _, _ := strings.Cut(string(sp.pad(nil, "", body, false)), "\x00") // where C's strings end
		return append(b, text...)
	case 'd', 'i':
		return sp.integer(b, checkInt(L, arg))
	case 'u', 'o', 'x', 'X':
		return sp.unsigned(b, toUint(checkNumber(L, arg)))
	case 'e', 'E', 'f', 'g', 'G':
		return sp.float(b, checkNumber(L, arg))
	case 'q':
		return quote(b, checkString(L, arg))
	case 's':
		str := checkString(L, arg)
		if sp.prec < 0 && len(str) >= 100 {
			return append(b, str...)
		}
		str, _, _ = strings.Cut(str, "\x00") // where C's printf stops
		if sp.prec >= 0 && sp.prec < len(str) {
			str = str[:sp.prec]
		}
		return sp.pad(b, "", str, false)
	}
	if sp.verb == 0 {
		raise(L, "invalid option '%%' to 'format'")
	}
	raise(L, "invalid option '%%%c' to 'format'", sp.verb)
	return nil
}

// toUint converts as a C compiler on amd64 does.
func toUint(f float64) uint64 {
	if f >= 1<<63 && f < 1<<64 {
		return uint64(f)
	}
	return uint64(toInt(f))
}

// pad writes sign and digits to the width; zeros go between them.
func (sp spec) pad(b []byte, sign, body string, zeros bool) []byte {
	fill := sp.width - len(sign) - len(body)
	if !sp.minus && !zeros {
		for ; fill > 0; fill-- {
			b = append(b, ' ')
		}
	}
	b = append(b, sign...)
	if !sp.minus {
		for ; fill > 0; fill-- {
			b = append(b, '0')
		}
	}
	b = append(b, body...)
	for ; fill > 0; fill-- {
		b = append(b, ' ')
	}
	return b
}

func (sp spec) sign(neg bool) string {
	switch {
	case neg:
		return "-"
	case sp.plus:
		return "+"
	case sp.space:
		return " "
	}
	return ""
}

// digits applies a precision to an integer: leading zeros, and nothing for 0 at 0.
func (sp spec) digits(d string) string {
	if sp.prec == 0 && d == "0" {
		return ""
	}
	if n := sp.prec - len(d); n > 0 {
		d = strings.Repeat("0", n) + d
	}
	return d
}

func (sp spec) integer(b []byte, v int) []byte {
	d := strconv.FormatInt(int64(v), 10)
	d = strings.TrimPrefix(d, "-")
	return sp.pad(b, sp.sign(v < 0), sp.digits(d), sp.zero && sp.prec < 0)
}

func (sp spec) unsigned(b []byte, v uint64) []byte {
	base, prefix := 10, ""
	switch sp.verb {
	case 'o':
		base = 8
	case 'x':
		base, prefix = 16, "0x"
	case 'X':
		base, prefix = 16, "0X"
	}
	d := strconv.FormatUint(v, base)
	if sp.verb == 'X' {
		d = strings.ToUpper(d)
	}
	d = sp.digits(d)
	if sp.alt && sp.verb == 'o' && !strings.HasPrefix(d, "0") {
		d = "0" + d
	}
	if !sp.alt || v == 0 {
		prefix = ""
	}
	return sp.pad(b, prefix, d, sp.zero && sp.prec < 0)
}

func (sp spec) float(b []byte, f float64) []byte {
	sign := sp.sign(math.Signbit(f))
	if math.IsInf(f, 0) || math.IsNaN(f) {
		upper := sp.verb == 'E' || sp.verb == 'G'
		return sp.pad(b, sign, string(appendSpecial(nil, math.Copysign(f, 1), upper)), false)
	}
	f = math.Abs(f)
	prec := sp.prec
	if prec < 0 {
		prec = 6
	}
	var d []byte
	switch sp.verb {
	case 'f':
		d = strconv.AppendFloat(nil, f, 'f', prec, 64)
	case 'e', 'E':
		d = strconv.AppendFloat(nil, f, sp.verb, prec, 64)
	default:
		d = appendG(nil, f, prec, sp.verb, sp.alt)
	}
	if sp.alt && !strings.Contains(string(d), ".") {
		d = insertPoint(d)
	}
	return sp.pad(b, sign, string(d), sp.zero)
}

// insertPoint is the point that the flag # asks for, before an exponent.
func insertPoint(d []byte) []byte {
	i := strings.IndexAny(string(d), "eE")
	if i < 0 {
		return append(d, '.')
	}
	return append(append(append([]byte{}, d[:i]...), '.'), d[i:]...)
}

// quote is %q: a string that Lua reads back.
func quote(b []byte, str string) []byte {
	b = append(b, '"')
	for i := range len(str) {
		switch c := str[i]; c {
		case '"', '\\', '\n':
			b = append(b, '\\', c)
		case '\r':
			b = append(b, "\\r"...)
		case 0:
			b = append(b, "\\000"...)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
