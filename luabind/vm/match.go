package vm

import "strings"

// matcher is Lua's pattern matching as lstrlib.c of PUC Lua 5.1 has it, with two
// additions: every step is counted, since a pattern like a*a*b takes the square or
// the cube of the subject's length, and nesting is bounded.
type matcher struct {
	src, pat string
	steps    int // left, in single comparisons
	depth    int
	level    int // captures so far
	capture  [maxCaptures]struct{ start, len int }
	err      string // set when matching cannot go on; then every result is -1
}

const (
	capUnfinished = -1
	capPosition   = -2
)

// Texts of matcher.err. The first ends the entry, the others are ordinary errors.
const (
	errSteps = "steps"
	errDeep  = "pattern too complex"
)

func (m *matcher) fail(text string) int {
	if m.err == "" {
		m.err = text
	}
	return -1
}

// reset makes the matcher ready for another attempt.
func (m *matcher) reset() { m.level, m.depth = 0, 0 }

// classEnd is the index after the single character class at p.
func (m *matcher) classEnd(p int) int {
	c := m.pat[p]
	p++
	switch c {
	case '%':
		if p >= len(m.pat) {
			return m.fail("malformed pattern (ends with '%')")
		}
		return p + 1
	case '[':
		if p < len(m.pat) && m.pat[p] == '^' {
			p++
		}
		for first := true; first || p >= len(m.pat) || m.pat[p] != ']'; first = false {
			if p >= len(m.pat) {
				return m.fail("malformed pattern (missing ']')")
			}
			c := m.pat[p]
			p++
			if c == '%' {
				if p >= len(m.pat) {
					return m.fail("malformed pattern (missing ']')")
				}
				p++
			}
		}
		return p + 1
	}
	return p
}

// inClass reports whether c is in the class %cl.
func inClass(c, cl byte) bool {
	var in bool
	switch cl | 0x20 {
	case 'a':
		in = isAlpha(c)
	case 'c':
		in = c < 32 || c == 127
	case 'd':
		in = isDigit(c)
	case 'l':
		in = 'a' <= c && c <= 'z'
	case 'p':
		in = 33 <= c && c <= 126 && !isAlpha(c) && !isDigit(c)
	case 's':
		in = c == ' ' || 9 <= c && c <= 13
	case 'u':
		in = 'A' <= c && c <= 'Z'
	case 'w':
		in = isAlpha(c) || isDigit(c)
	case 'x':
		in = isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f'
	case 'z':
		in = c == 0
	default:
		return cl == c
	}
	if !isAlpha(cl) {
		return cl == c
	}
	return in == (cl&0x20 != 0)
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// inSet reports whether c is in the set that begins at p and whose ] is at end.
func (m *matcher) inSet(c byte, p, end int) bool {
	want := true
	p++
	if m.pat[p] == '^' {
		want = false
		p++
	}
	m.steps -= (end - p) / 8
	for ; p < end; p++ {
		switch {
		case m.pat[p] == '%':
			p++
			if inClass(c, m.pat[p]) {
				return want
			}
		case p+2 < end && m.pat[p+1] == '-':
			if m.pat[p] <= c && c <= m.pat[p+2] {
				return want
			}
			p += 2
		case m.pat[p] == c:
			return want
		}
	}
	return !want
}

// single reports whether the character at s matches the class from p to ep.
func (m *matcher) single(s, p, ep int) bool {
	m.steps--
	if s >= len(m.src) {
		return false
	}
	c := m.src[s]
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return inClass(c, m.pat[p+1])
	case '[':
		return m.inSet(c, p, ep-1)
	}
	return m.pat[p] == c
}

// match matches pat from p at s and returns the index after the match, or -1.
func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > maxMatchDepth {
		return m.fail(errDeep)
	}
	defer func() { m.depth-- }()
	for {
		if m.steps -= 2; m.steps <= 0 {
			return m.fail(errSteps)
		}
		if p == len(m.pat) {
			return s
		}
		switch m.pat[p] {
		case '(':
			if p+1 < len(m.pat) && m.pat[p+1] == ')' {
				return m.startCapture(s, p+2, capPosition)
			}
			return m.startCapture(s, p+1, capUnfinished)
		case ')':
			return m.endCapture(s, p+1)
		case '$':
			if p+1 == len(m.pat) {
				if s == len(m.src) {
					return s
				}
				return -1
			}
		case '%':
			if ns, np, ok := m.percent(s, p); ok {
				if ns < 0 {
					return -1
				}
				s, p = ns, np
				continue
			}
		}
		ep := m.classEnd(p)
		if ep < 0 {
			return -1
		}
		var suffix byte
		if ep < len(m.pat) {
			suffix = m.pat[ep]
		}
		switch suffix {
		case '?':
			if m.single(s, p, ep) {
				if r := m.match(s+1, ep+1); r >= 0 || m.err != "" {
					return r
				}
			}
			p = ep + 1
			continue
		case '*':
			return m.maxExpand(s, p, ep)
		case '+':
			if !m.single(s, p, ep) {
				return -1
			}
			return m.maxExpand(s+1, p, ep)
		case '-':
			return m.minExpand(s, p, ep)
		}
		if !m.single(s, p, ep) {
			return -1
		}
		s++
		p = ep
	}
}

// percent matches what stands behind a % at p and is no class: %b, %f and %1 to %9. It
// returns where the subject, -1 for no match, and the pattern go on; ok is false for a class.
func (m *matcher) percent(s, p int) (ns, np int, ok bool) {
	if p+1 >= len(m.pat) {
		return s, p, false
	}
	switch c := m.pat[p+1]; {
	case c == 'b':
		return m.balance(s, p+2), p + 4, true
	case c == 'f':
		return m.frontier(s, p+2)
	case isDigit(c):
		return m.backReference(s, c), p + 2, true
	}
	return s, p, false
}

// frontier is %f[set], the set at p: a place between a character that is not in the set
// and one that is.
func (m *matcher) frontier(s, p int) (ns, np int, ok bool) {
	if p >= len(m.pat) || m.pat[p] != '[' {
		return m.fail("missing '[' after '%f' in pattern"), p, true
	}
	ep := m.classEnd(p)
	if ep < 0 || m.inSet(m.at(s-1), p, ep-1) || !m.inSet(m.at(s), p, ep-1) {
		return -1, p, true
	}
	return s, ep, true
}

// at is the character at s; before the start and after the end it is '\0'.
func (m *matcher) at(s int) byte {
	if s < 0 || s >= len(m.src) {
		return 0
	}
	return m.src[s]
}

func (m *matcher) maxExpand(s, p, ep int) int {
	n := 0
	for m.single(s+n, p, ep) {
		n++
		if m.steps <= 0 {
			return m.fail(errSteps)
		}
	}
	if ep+1 == len(m.pat) {
		return s + n // nothing follows that could want some of it back
	}
	for ; n >= 0; n-- {
		if r := m.match(s+n, ep+1); r >= 0 || m.err != "" {
			return r
		}
	}
	return -1
}

func (m *matcher) minExpand(s, p, ep int) int {
	for {
		if r := m.match(s, ep+1); r >= 0 || m.err != "" {
			return r
		}
		if !m.single(s, p, ep) {
			return -1
		}
		s++
	}
}

func (m *matcher) balance(s, p int) int {
	if p+1 >= len(m.pat) {
		return m.fail("unbalanced pattern")
	}
	if s >= len(m.src) || m.src[s] != m.pat[p] {
		return -1
	}
	open, shut, depth := m.pat[p], m.pat[p+1], 1
	for s++; s < len(m.src); s++ {
		if m.steps--; m.steps <= 0 {
			return m.fail(errSteps)
		}
		switch m.src[s] {
		case shut:
			if depth--; depth == 0 {
				return s + 1
			}
		case open:
			depth++
		}
	}
	return -1
}

func (m *matcher) startCapture(s, p, what int) int {
	if m.level >= maxCaptures {
		return m.fail("too many captures")
	}
	m.capture[m.level].start = s
	m.capture[m.level].len = what
	m.level++
	r := m.match(s, p)
	if r < 0 {
		m.level--
	}
	return r
}

func (m *matcher) endCapture(s, p int) int {
	l := -1
	for i := m.level - 1; i >= 0; i-- {
		if m.capture[i].len == capUnfinished {
			l = i
			break
		}
	}
	if l < 0 {
		return m.fail("invalid pattern capture")
	}
	m.capture[l].len = s - m.capture[l].start
	r := m.match(s, p)
	if r < 0 {
		m.capture[l].len = capUnfinished
	}
	return r
}

func (m *matcher) backReference(s int, digit byte) int {
	l := int(digit) - '1'
	if l < 0 || l >= m.level || m.capture[l].len == capUnfinished {
		return m.fail("invalid capture index")
	}
	c := m.capture[l]
	n := max(c.len, 0)
	m.steps -= n / 8
	if strings.HasPrefix(m.src[s:], m.src[c.start:c.start+n]) && c.len >= 0 {
		return s + n
	}
	return -1
}
