package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// load is load and loadstring: text alone, from a string or a function that
// returns pieces of it. A locked-down state has it only while a chunk is being
// loaded: what handles packets should not compile what it was sent.
func (s *State) load(L *lua.LState) int {
	if !s.opt.Trusted && !s.loading {
		raise(L, "load: not while packets are handled, only while the script loads")
	}
	var src string
	switch v := L.Get(1).(type) {
	case *lua.LFunction:
		src = s.readPieces(L, v)
	case lua.LString:
		src = string(v)
	default:
		typeError(L, 1, "string")
	}
	name := optString(L, 2, src)
	c, err := s.Compile(chunkName(name), src)
	if err != nil {
		if s.fatal != nil {
			s.raiseFatal(L)
		}
		L.Push(lua.LNil)
		pushString(L, err.Error())
		return 2
	}
	L.Push(s.instantiate(c))
	return 1
}

// What is charged for a byte of source and for looking for a module: parsing takes up to
// 130 ns a byte, asking the disk some 30 us. A packet's budget, under which only trusted
// scripts compile, is not for so much: there a byte is one instruction.
const (
	loadSteps = 8
	lookSteps = 2000
)

// Compile is the function of that name, under the limits of the state and at the cost of
// the entry that runs. Where the budget does not suffice, the entry ends with its next
// instruction.
func (s *State) Compile(name, source string) (*Chunk, error) {
	steps := min(len(source), s.lim.Source)
	if s.loading {
		steps *= loadSteps
	}
	if s.depth > 0 && !s.m.spend(steps) {
		s.spent(s.l.G.CurrentThread)
		return nil, s.fatal
	}
	return Compile(name, source, s.lim)
}

// readPieces calls fn until it returns nothing more.
func (s *State) readPieces(L *lua.LState, fn *lua.LFunction) string {
	var b strings.Builder
	for {
		L.Push(fn)
		L.Call(0, 1)
		v := L.Get(-1)
		L.Pop(1)
		if v == lua.LNil {
			return b.String()
		}
		if !isText(v) {
			raise(L, "reader function must return a string")
		}
		piece := text(v)
		if piece == "" {
			return b.String()
		}
		s.limitString(L, b.Len()+len(piece))
		b.WriteString(piece)
	}
}

// chunkName is a name as PUC Lua shows it in messages.
func chunkName(name string) string {
	if rest, ok := strings.CutPrefix(name, "@"); ok {
		return rest
	}
	if rest, ok := strings.CutPrefix(name, "="); ok {
		return rest
	}
	line, _, cut := strings.Cut(name, "\n")
	if len(line) > 40 {
		line, cut = line[:40], true
	}
	if cut {
		line += "..."
	}
	return `[string "` + line + `"]`
}

// require runs a module once and returns what it returned, every time.
func (s *State) require(L *lua.LState) int {
	name := checkString(L, 1)
	if v, ok := s.modules[name]; ok {
		if v == nil {
			raise(L, "loop or previous error loading module '%s'", name)
		}
		L.Push(v)
		return 1
	}
	if s.opt.Require == nil {
		raise(L, "module '%s' not found: there are no modules here", clip(name))
	}
	s.Charge(L, lookSteps)
	m, err := s.opt.Require(s, name)
	if err != nil {
		return s.Raise(L, err)
	}
	if s.modules == nil {
		s.modules = map[string]lua.LValue{}
	}
	v := m.Value
	if m.Chunk != nil {
		s.modules[name] = nil // while it loads
		L.Push(s.instantiate(m.Chunk))
		L.Push(lua.LString(name))
		L.Call(1, 1)
		v = L.Get(-1)
	}
	if v == nil || v == lua.LNil {
		v = lua.LTrue
	}
	s.modules[name] = v
	L.Push(v)
	return 1
}
