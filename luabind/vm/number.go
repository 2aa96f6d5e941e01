package vm

import (
	"math"
	"strconv"
	"strings"
)

// formatNumber is a number as PUC Lua prints it, C's %.14g.
func formatNumber(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 && !(f == 0 && math.Signbit(f)) {
		if math.Abs(f) < 1e14 {
			return strconv.FormatInt(int64(f), 10)
		}
	}
	return string(appendG(nil, f, 14, 'g', false))
}

// appendNumber is formatNumber into a buffer.
func appendNumber(b []byte, f float64) []byte {
	if f == math.Trunc(f) && math.Abs(f) < 1e14 && !(f == 0 && math.Signbit(f)) {
		return strconv.AppendInt(b, int64(f), 10)
	}
	return appendG(b, f, 14, 'g', false)
}

// appendG is C's %.*g and %.*G; alt is the flag #, which keeps trailing zeros.
func appendG(b []byte, f float64, prec int, verb byte, alt bool) []byte {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return appendSpecial(b, f, verb == 'G')
	}
	if prec == 0 {
		prec = 1
	}
	e := strconv.AppendFloat(make([]byte, 0, 64), f, 'e', prec-1, 64)
	at := len(e) - 1
	for e[at] != 'e' {
		at--
	}
	exp, _ := strconv.Atoi(string(e[at+1:]))
	if exp < -4 || exp >= prec {
		mant := e[:at]
		if !alt {
			mant = trimZeros(mant)
		}
		b = append(b, mant...)
		e[at] = verb - 'g' + 'e'
		return append(b, e[at:]...)
	}
	fixed := strconv.AppendFloat(make([]byte, 0, 64), f, 'f', prec-1-exp, 64)
	if !alt {
		fixed = trimZeros(fixed)
	}
	return append(b, fixed...)
}

func trimZeros(b []byte) []byte {
	if !strings.Contains(string(b), ".") {
		return b
	}
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}

// appendSpecial spells what is no number as glibc does, sign of a NaN included.
func appendSpecial(b []byte, f float64, upper bool) []byte {
	t := "inf"
	if math.IsNaN(f) {
		t = "nan"
	}
	if upper {
		t = strings.ToUpper(t)
	}
	if math.Signbit(f) {
		b = append(b, '-')
	}
	return append(b, t...)
}

// parseNumber reads a number as PUC Lua's lua_tonumber does: C's strtod, with
// spaces around it, and hexadecimal.
func parseNumber(s string) (float64, bool) {
	s = strings.Trim(s, " \t\n\v\f\r")
	if s == "" || strings.IndexByte(s, '_') >= 0 {
		return 0, false
	}
	digits, neg := s, false
	if s[0] == '-' || s[0] == '+' {
		digits, neg = s[1:], s[0] == '-'
	}
	if len(digits) > 1 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') {
		return parseHex(digits[2:], neg)
	}
	if digits == "" || !startsNumber(digits) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !isRange(err) {
		return 0, false
	}
	return f, true
}

// startsNumber keeps ParseFloat to what strtod reads.
func startsNumber(s string) bool {
	switch c := s[0]; {
	case '0' <= c && c <= '9', c == '.':
		return true
	}
	switch strings.ToLower(s) {
	case "inf", "infinity", "nan":
		return true
	}
	return false
}

func isRange(err error) bool {
	ne, ok := err.(*strconv.NumError)
	return ok && ne.Err == strconv.ErrRange
}

// parseHex reads what follows 0x: an integer, or a fraction with an exponent.
func parseHex(s string, neg bool) (float64, bool) {
	if s == "" || s[0] == '+' || s[0] == '-' {
		return 0, false
	}
	if !strings.ContainsAny(s, "pP") {
		s += "p0"
	}
	f, err := strconv.ParseFloat("0x"+s, 64)
	if err != nil && !isRange(err) {
		return 0, false
	}
	if neg {
		f = -f
	}
	return f, true
}

// parseBase reads an integer in a base from 2 to 36 as C's strtoul does, which
// wraps negative numbers around and stops at the largest.
func parseBase(s string, base int) (float64, bool) {
	s = strings.Trim(s, " \t\n\v\f\r")
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if base == 16 && len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		s = s[2:]
	}
	if s == "" || s[0] == '+' || s[0] == '-' || strings.IndexByte(s, '_') >= 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		if !isRange(err) {
			return 0, false
		}
		return math.MaxUint64, true
	}
	if neg {
		n = -n
	}
	return float64(n), true
}
