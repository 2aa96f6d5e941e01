package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// A comparison of the matcher takes a quarter of what an instruction does.
const stepsAnInstruction = 4

// begin gives a matcher what is left of the entry's budget.
func (s *State) begin(m *matcher, src, pat string) {
	m.src, m.pat = src, pat
	m.steps = max(1, (s.m.left+s.m.tick)*stepsAnInstruction)
}

// settle charges for the steps taken since have, and raises the matcher's error.
func (s *State) settle(L *lua.LState, m *matcher, have int) {
	s.Charge(L, (have-m.steps)/stepsAnInstruction)
	switch m.err {
	case "":
	case errSteps:
		s.spent(L)
		s.raiseFatal(L)
	default:
		raise(L, "%s", m.err)
	}
}

// search finds the first match at or after from; start is -1 if there is none.
func (s *State) search(L *lua.LState, m *matcher, from int) (start, end int) {
	have := m.steps
	start, end = m.search(from)
	s.settle(L, m, have)
	return start, end
}

func (m *matcher) search(from int) (start, end int) {
	p, anchored := 0, strings.HasPrefix(m.pat, "^")
	if anchored {
		p = 1
	}
	for start = from; start <= len(m.src); start++ {
		m.reset()
		if end = m.match(start, p); end >= 0 {
			return start, end
		}
		if m.err != "" || anchored {
			break
		}
	}
	return -1, -1
}

// Match reports whether pat matches somewhere in src, as string.find does. L is the
// caller of the binding that asks, and pays for it; with nil the question comes from
// outside of any entry, has a budget of its own, and Match raises nothing.
func (s *State) Match(L *lua.LState, src, pat string) (bool, error) {
	var m matcher
	if L != nil {
		s.begin(&m, src, pat)
		start, _ := s.search(L, &m, 0)
		return start >= 0, nil
	}
	m.src, m.pat, m.steps = src, pat, s.lim.Instructions*stepsAnInstruction
	_, end := m.search(0)
	switch m.err {
	case "":
		return end >= 0, nil
	case errSteps:
		return false, &Error{Reason: Instructions, Message: "used up its instructions: the pattern takes too long for this text (limits: instructions)"}
	}
	return false, &Error{Reason: Runtime, Message: m.err}
}

// pushCapture pushes capture i; with no captures, the whole match is capture 0.
func (m *matcher) pushCapture(L *lua.LState, i, start, end int) {
	if i >= m.level {
		if i > 0 {
			raise(L, "invalid capture index")
		}
		pushString(L, cut(m.src, start, end))
		return
	}
	switch c := m.capture[i]; c.len {
	case capPosition:
		pushInt(L, c.start+1)
	case capUnfinished:
		raise(L, "unfinished capture")
	default:
		pushString(L, cut(m.src, c.start, c.start+c.len))
	}
}

// pushCaptures pushes all captures, or the whole match if there are none.
func (m *matcher) pushCaptures(L *lua.LState, start, end int, whole bool) int {
	n := m.level
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		m.pushCapture(L, i, start, end)
	}
	return n
}

// strFind is find and match.
func (s *State) strFind(L *lua.LState, find bool) int {
	src, pat := checkString(L, 1), checkString(L, 2)
	init := max(0, min(fromEnd(optInt(L, 3, 1), len(src))-1, len(src)))
	if find && (lua.LVAsBool(L.Get(4)) || !strings.ContainsAny(pat, "^$*+?.([%-")) {
		s.Charge(L, (len(src)-init)/bytesAStep)
		i := strings.Index(src[init:], pat)
		if i < 0 {
			L.Push(lua.LNil)
			return 1
		}
		pushInt(L, init+i+1)
		pushInt(L, init+i+len(pat))
		return 2
	}
	var m matcher
	s.begin(&m, src, pat)
	start, end := s.search(L, &m, init)
	if start < 0 {
		L.Push(lua.LNil)
		return 1
	}
	if find {
		pushInt(L, start+1)
		pushInt(L, end)
		return 2 + m.pushCaptures(L, start, end, false)
	}
	return m.pushCaptures(L, start, end, true)
}

func (s *State) strGmatch(L *lua.LState) int {
	src, pat := checkString(L, 1), checkString(L, 2)
	at := 0
	L.Push(L.NewFunction(func(L *lua.LState) int {
		var m matcher
		s.begin(&m, src, pat)
		have := m.steps
		for start := at; start <= len(src); start++ {
			m.reset()
			// In gmatch ^ has no meaning of its own in Lua 5.1.
			end := m.match(start, 0)
			if m.err != "" {
				break
			}
			if end >= 0 {
				at = end
				if end == start {
					at++
				}
				s.settle(L, &m, have)
				return m.pushCaptures(L, start, end, true)
			}
		}
		at = len(src) + 1
		s.settle(L, &m, have)
		return 0
	}))
	return 1
}

func (s *State) strGsub(L *lua.LState) int {
	src, pat := checkString(L, 1), checkString(L, 2)
	switch L.Get(3).(type) {
	case lua.LString, lua.LNumber, *lua.LTable, *lua.LFunction:
	default:
		argError(L, 3, "string/function/table expected")
	}
	limit := optInt(L, 4, len(src)+1)
	p, anchored := 0, strings.HasPrefix(pat, "^")
	if anchored {
		p = 1
	}
	var m matcher
	var b strings.Builder
	at, count := 0, 0
	for count < limit {
		s.begin(&m, src, pat)
		have := m.steps
		m.reset()
		end := m.match(at, p)
		s.settle(L, &m, have)
		if end >= 0 {
			count++
			s.replacement(L, &m, &b, at, end)
		}
		switch {
		case end > at:
			at = end
		case at < len(src):
			b.WriteByte(src[at])
			at++
		default:
			at++
		}
		if at > len(src) || anchored {
			break
		}
	}
	if at < len(src) {
		s.limitString(L, b.Len()+len(src)-at)
		b.WriteString(src[at:])
	} else {
		s.limitString(L, b.Len())
	}
	pushString(L, b.String())
	pushInt(L, count)
	return 2
}

// replacement appends what a match is replaced with.
func (s *State) replacement(L *lua.LState, m *matcher, b *strings.Builder, start, end int) {
	var v lua.LValue
	switch r := L.Get(3).(type) {
	case lua.LString, lua.LNumber:
		s.expand(L, m, b, text(r), start, end)
		return
	case *lua.LTable:
		m.pushCapture(L, 0, start, end)
		key := L.Get(-1)
		L.Pop(1)
		v = L.GetTable(r, key)
	case *lua.LFunction:
		L.Push(r)
		n := m.pushCaptures(L, start, end, true)
		L.Call(n, 1)
		v = L.Get(-1)
		L.Pop(1)
	}
	switch {
	case !lua.LVAsBool(v):
		b.WriteString(m.src[start:end])
	case isText(v):
		b.WriteString(text(v))
	default:
		raise(L, "invalid replacement value (a %s)", v.Type().String())
	}
	s.growing(L, b)
}

// expand appends a replacement string with its %0 to %9.
func (s *State) expand(L *lua.LState, m *matcher, b *strings.Builder, r string, start, end int) {
	for {
		i := strings.IndexByte(r, '%')
		if i < 0 {
			break
		}
		b.WriteString(r[:i])
		if i+1 >= len(r) {
			b.WriteByte(0) // PUC Lua copies the terminator of the string
			r = ""
			break
		}
		c := r[i+1]
		switch {
		case c == '0':
			b.WriteString(m.src[start:end])
		case isDigit(c):
			m.pushCapture(L, int(c-'1'), start, end)
			b.WriteString(text(L.Get(-1)))
			L.Pop(1)
		default:
			b.WriteByte(c)
		}
		r = r[i+2:]
		s.growing(L, b)
	}
	b.WriteString(r)
	s.growing(L, b)
}

// growing keeps a result under construction within the limit.
func (s *State) growing(L *lua.LState, b *strings.Builder) {
	if b.Len() > s.lim.String {
		s.limitString(L, b.Len())
	}
}
