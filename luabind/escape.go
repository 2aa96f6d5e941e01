package luabind

import (
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// keeps reports whether a handler's code could keep its packet, or a layer of it,
// beyond the call: in a variable outside, a table, a closure, or by handing it to
// a function that might. Where it cannot, the packet's userdata is used again for
// the next packet.
//
// It follows the packet through the registers of the compiled function, from the
// parameter in register 0. A register that may hold the packet or a layer is
// marked; marks flow with moves, with field reads that may give a layer, and along
// jumps, until nothing changes. The methods of packets are ours and keep nothing.
// Where this is not sure it says yes, which costs one small allocation a packet
// and nothing else.
func keeps(proto *lua.FunctionProto) bool {
	if proto.NumParameters == 0 {
		return proto.IsVarArg != 0
	}
	if proto.IsVarArg&lua.VarArgIsVarArg != 0 {
		return true
	}
	f := flow{proto: proto, marks: make([]marks, len(proto.Code)+1)}
	f.todo = []int{0}
	f.marks[0] = marks{seen: true}
	f.marks[0].set(0, packetMark)
	for len(f.todo) > 0 && !f.kept {
		pc := f.todo[len(f.todo)-1]
		f.todo = f.todo[:len(f.todo)-1]
		if pc < len(proto.Code) {
			f.step(pc)
		}
	}
	return f.kept
}

// mark says what a register may hold.
type mark uint8

const (
	packetMark mark = 1 << iota // the packet or one of its layers
	methodMark                  // a method that SELF took from a packet or layer
	givesMark                   // such a method that may give a packet: p:reply
)

type marks struct {
	seen bool
	regs [256]mark
}

func (m *marks) set(r int, k mark) {
	if r < len(m.regs) {
		m.regs[r] = k
	}
}

func (m *marks) packet(r int) bool { return r < len(m.regs) && m.regs[r]&packetMark != 0 }

type flow struct {
	proto *lua.FunctionProto
	marks []marks // before each instruction
	todo  []int
	kept  bool
}

// goTo joins m into what is known before the instruction at pc.
func (f *flow) goTo(pc int, m *marks) {
	if pc < 0 || pc >= len(f.marks) {
		return
	}
	known := &f.marks[pc]
	changed := !known.seen
	known.seen = true
	for r, k := range m.regs {
		if k&^known.regs[r] != 0 {
			known.regs[r] |= k
			changed = true
		}
	}
	if changed {
		f.todo = append(f.todo, pc)
	}
}

// The fields of an instruction of gopher-lua: 6 bits of operation, 8 of A, 9 of C,
// 9 of B, from the top; B and C above 255 are constants.
func opcode(i uint32) int { return int(i >> 26) }
func argA(i uint32) int   { return int(i>>18) & 0xff }
func argB(i uint32) int   { return int(i & 0x1ff) }
func argC(i uint32) int   { return int(i>>9) & 0x1ff }
func argSbx(i uint32) int { return int(i&0x3ffff) - 0x1ffff }

func (f *flow) step(pc int) {
	m := f.marks[pc]
	i := f.proto.Code[pc]
	a, b, c := argA(i), argB(i), argC(i)
	next := pc + 1
	switch opcode(i) {
	case lua.OP_MOVE:
		m.set(a, m.regs[b&0xff])
	case lua.OP_MOVEN:
		m.set(a, m.regs[b&0xff])
		for range c { // the moves that belong to it follow
			if next < len(f.proto.Code) {
				j := f.proto.Code[next]
				m.set(argA(j), m.regs[argB(j)&0xff])
				next++
			}
		}
	case lua.OP_LOADNIL:
		for r := a; r <= b; r++ {
			m.set(r, 0)
		}
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
		if m.packet(b) && f.mayBeLayer(c) {
			m.set(a, packetMark)
		} else {
			m.set(a, 0)
		}
	case lua.OP_SELF:
		// R(A+1) := R(B); R(A) := R(B)[RK(C)]
		if m.packet(b) {
			m.set(a+1, packetMark)
			m.set(a, methodMark)
			if name, ok := f.constant(c); !ok || !names().plainMethods[name] {
				m.set(a, methodMark|givesMark)
			}
		} else {
			m.set(a+1, 0)
			m.set(a, 0)
		}
	case lua.OP_SETGLOBAL, lua.OP_SETUPVAL:
		f.kept = f.kept || m.packet(a)
	case lua.OP_SETTABLE, lua.OP_SETTABLEKS:
		f.kept = f.kept || m.packet(c) || m.packet(b)
	case lua.OP_SETLIST:
		for r := a + 1; r < len(m.regs) && (b == 0 || r <= a+b); r++ {
			f.kept = f.kept || m.packet(r)
		}
		if c == 0 { // the next word is a number
			next++
		}
	case lua.OP_CALL, lua.OP_TAILCALL:
		f.call(&m, a, b, c, opcode(i) == lua.OP_TAILCALL)
	case lua.OP_CLOSURE:
		// One pseudo instruction follows for each variable that the closure captures.
		inner := f.proto.FunctionPrototypes[int(i&0x3ffff)]
		for range int(inner.NumUpvalues) {
			if next < len(f.proto.Code) {
				j := f.proto.Code[next]
				if opcode(j) == lua.OP_MOVE {
					f.kept = f.kept || m.packet(argB(j))
				}
				next++
			}
		}
		m.set(a, 0)
	case lua.OP_RETURN:
		return
	case lua.OP_JMP:
		f.goTo(pc+1+argSbx(i), &m)
		return
	case lua.OP_EQ, lua.OP_LT, lua.OP_LE, lua.OP_TEST, lua.OP_TFORLOOP:
		if opcode(i) == lua.OP_TFORLOOP {
			for r := a; r <= a+2; r++ { // the iterator is called with state and control
				f.kept = f.kept || m.packet(r)
			}
			for r := a + 3; r < a+3+max(c, 1); r++ {
				m.set(r, 0)
			}
		}
		f.goTo(pc+2, &m)
	case lua.OP_TESTSET:
		f.goTo(pc+2, &m)
		m.set(a, m.regs[b&0xff])
		f.goTo(pc+2, &m)
	case lua.OP_FORLOOP, lua.OP_FORPREP:
		f.goTo(pc+1+argSbx(i), &m)
	case lua.OP_LOADBOOL:
		m.set(a, 0)
		if c != 0 {
			next++
		}
	case lua.OP_CLOSE, lua.OP_NOP:
	case lua.OP_VARARG:
		for r := a; r < len(m.regs); r++ {
			m.set(r, 0)
		}
	case lua.OP_CONCAT:
		m.set(a, 0)
	default:
		// Arithmetic, constants, globals, upvalues, new tables: A gets a value that is
		// no packet of this call.
		m.set(a, 0)
	}
	f.goTo(next, &m)
}

// call judges R(A)(R(A+1), ...): an argument that may be the packet is kept, unless
// the function is a method of a packet.
func (f *flow) call(m *marks, a, b, c int, tail bool) {
	last := a + b - 1
	if b == 0 { // up to the top of the stack, left there by a call or "..."
		last = len(m.regs) - 1
	}
	method := m.regs[a]&methodMark != 0
	for r := a + 1; r <= last && r < len(m.regs); r++ {
		if m.packet(r) && !(method && r == a+1) {
			f.kept = true
		}
	}
	if tail {
		return
	}
	// Results go to A and up. What p:reply() gives is as much the engine's as p.
	var result mark
	if m.regs[a]&givesMark != 0 {
		result = packetMark
	}
	end := a + c - 2
	if c == 0 {
		end = len(m.regs) - 1
	}
	for r := a; r <= end && r < len(m.regs); r++ {
		m.set(r, 0)
	}
	if end >= a {
		m.set(a, result) // a method gives one packet at most
	}
	// The call's own registers are dead after it.
	for r := max(end+1, a); r <= last && r < len(m.regs); r++ {
		m.set(r, 0)
	}
}

// mayBeLayer reports that reading the field named by the operand rk of a packet
// may give a layer. A plain field, whose name says that it is none, may not; nor
// may a method, which holds no packet until it is called.
func (f *flow) mayBeLayer(rk int) bool {
	name, ok := f.constant(rk)
	return !ok || !names().plainFields[name]
}

// constant is the string constant that the operand rk names.
func (f *flow) constant(rk int) (string, bool) {
	if rk < 256 || rk-256 >= len(f.proto.Constants) {
		return "", false
	}
	s, ok := f.proto.Constants[rk-256].(lua.LString)
	return string(s), ok
}

// names says which names give no packet and no layer, wherever they stand.
var names = sync.OnceValue(func() (n struct{ plainFields, plainMethods map[string]bool }) {
	n.plainFields, n.plainMethods = map[string]bool{}, map[string]bool{}
	layers := append(headerLayers(), packetLayer(), optionsLayer())
	for _, l := range layers {
		for name := range l.fields {
			n.plainFields[name] = true
		}
		for name, m := range l.methods {
			if !m.gives {
				n.plainMethods[name] = true
			}
		}
	}
	for _, l := range layers {
		delete(n.plainFields, l.name)
	}
	return n
})
