package luabind

import lua "github.com/yuin/gopher-lua"

// keeps reports whether a handler's code could keep its packet, or a layer or an
// answer of it, beyond the call: in a variable outside, a table, a closure, or by
// handing it to code that might. Where it cannot, the userdata of the packet is
// used again for the next one.
//
// It follows the packet through the registers of the compiled function, from the
// parameter in register 0. For every instruction it knows what each register may
// hold there; what an instruction writes flows on to those that can come next,
// until nothing changes. Four things end the search with yes:
//
//   - a register that may hold a packet is stored: as a global, in a variable of an
//     enclosing function, as key or value of a table;
//   - it is an operand of something that a metamethod of the other operand may
//     answer (t[p], t + p, t .. p), or an argument of a call. The methods of packets
//     are ours, keep nothing, and may be called;
//   - it is in a variable that a closure has captured, or comes to be;
//   - an instruction or a function (one with "...") that is not understood.
//
// Comparisons are harmless: Lua asks a metamethod only if both sides share it.
// What a function that is called may see of this one's registers is nothing, as
// long as there is no debug library; trusted scripts have one, and are not asked.
//
// Where it is not sure it says yes, which costs one small allocation a packet and
// nothing else.
func keeps(proto *lua.FunctionProto) bool {
	if proto.IsVarArg&lua.VarArgIsVarArg != 0 {
		return true
	}
	if proto.NumParameters == 0 {
		return false
	}
	f := tracer{proto: proto, marks: make([]marks, len(proto.Code)+1)}
	start := &f.marks[0]
	start.seen = true
	for r := range start.regs {
		start.regs[r] = otherMark
	}
	f.set(start, 0, packetMark)
	f.open = []int{0}
	for len(f.open) > 0 && !f.kept {
		pc := f.open[len(f.open)-1]
		f.open = f.open[:len(f.open)-1]
		if pc < len(proto.Code) {
			f.step(pc)
		}
	}
	return f.kept
}

// mark says what a register may hold: any of the bits that are set.
type mark uint8

const (
	otherMark  mark = 1 << iota // anything that is not this packet's
	packetMark                  // the packet, a layer or an answer of it
	methodMark                  // a method that SELF took from one of these
	givesMark                   // such a method that may give a packet: p:reply
	sharedMark                  // the register is a variable that a closure shares
)

type marks struct {
	seen bool
	regs [256]mark
}

func (m *marks) packet(r int) bool { return r < len(m.regs) && m.regs[r]&packetMark != 0 }

// method reports that register r holds a method of the packet and nothing else.
func (m *marks) method(r int) bool { return m.regs[r]&^(methodMark|givesMark) == 0 }

type tracer struct {
	proto *lua.FunctionProto
	marks []marks // before each instruction
	open  []int
	kept  bool
}

// set is a write to register r. A variable that a closure shares may be read, and
// changed, by whoever has the closure.
func (f *tracer) set(m *marks, r int, k mark) {
	if r >= len(m.regs) {
		return
	}
	k &^= sharedMark
	if m.regs[r]&sharedMark != 0 {
		f.kept = f.kept || k&packetMark != 0
		k |= otherMark | sharedMark
	}
	m.regs[r] = k
}

// goTo joins m into what is known before the instruction at pc.
func (f *tracer) goTo(pc int, m *marks) {
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
		f.open = append(f.open, pc)
	}
}

// capture is what the words behind the CLOSURE at pc say: which registers it shares
// with this function from now on.
func (f *tracer) capture(m *marks, pc int) {
	code := f.proto.Code
	for _, j := range code[pc+1 : min(pc+1+f.words(pc), len(code))] {
		if opcode(j) == lua.OP_MOVE {
			r := argB(j) & 0xff
			f.kept = f.kept || m.packet(r)
			m.regs[r] |= otherMark | sharedMark
		}
	}
}

// step carries what is known before the instruction at pc to those after it.
func (f *tracer) step(pc int) {
	m := f.marks[pc]
	i := f.proto.Code[pc]
	a, b, c := argA(i), argB(i), argC(i)
	next := pc + 1 + f.words(pc)
	switch opcode(i) {
	case lua.OP_MOVE:
		f.set(&m, a, m.regs[b&0xff])
	case lua.OP_MOVEN: // and the C moves that follow
		f.set(&m, a, m.regs[b&0xff])
		for ; c > 0 && next < len(f.proto.Code); c, next = c-1, next+1 {
			j := f.proto.Code[next]
			f.set(&m, argA(j), m.regs[argB(j)&0xff])
		}
	case lua.OP_LOADK, lua.OP_GETUPVAL, lua.OP_GETGLOBAL, lua.OP_NEWTABLE, lua.OP_NOT,
		lua.OP_LEN, lua.OP_UNM: // packets have no __len and no __unm
		f.set(&m, a, otherMark)
	case lua.OP_CLOSURE:
		f.set(&m, a, otherMark)
		f.capture(&m, pc)
	case lua.OP_LOADBOOL:
		f.set(&m, a, otherMark)
		if c != 0 {
			next++
		}
	case lua.OP_LOADNIL:
		for r := a; r <= b; r++ {
			f.set(&m, r, otherMark)
		}
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
		f.kept = f.kept || m.packet(c)
		if m.packet(b) && f.mayBeLayer(c) {
			f.set(&m, a, packetMark|otherMark)
		} else {
			f.set(&m, a, otherMark)
		}
	case lua.OP_SELF:
		f.self(&m, a, b, c)
	case lua.OP_SETGLOBAL, lua.OP_SETUPVAL:
		f.kept = f.kept || m.packet(a)
	case lua.OP_SETTABLE, lua.OP_SETTABLEKS:
		f.kept = f.kept || m.packet(b) || m.packet(c)
	case lua.OP_SETLIST:
		for r := a + 1; r < len(m.regs) && (b == 0 || r <= a+b); r++ {
			f.kept = f.kept || m.packet(r)
		}
	case lua.OP_ADD, lua.OP_SUB, lua.OP_MUL, lua.OP_DIV, lua.OP_MOD, lua.OP_POW:
		f.kept = f.kept || m.packet(b) || m.packet(c)
		f.set(&m, a, otherMark)
	case lua.OP_CONCAT:
		for r := b; r <= c; r++ {
			f.kept = f.kept || m.packet(r)
		}
		f.set(&m, a, otherMark)
	case lua.OP_CALL:
		f.call(&m, a, b, c)
	case lua.OP_TAILCALL: // its results are returned
		f.call(&m, a, b, 1)
	case lua.OP_RETURN:
		return
	case lua.OP_JMP:
		next += argSbx(i)
	case lua.OP_EQ, lua.OP_LT, lua.OP_LE, lua.OP_TEST:
		f.goTo(next+1, &m)
	case lua.OP_TESTSET:
		f.goTo(next+1, &m)
		f.set(&m, a, m.regs[b&0xff])
	case lua.OP_FORPREP:
		f.set(&m, a, otherMark)
		next += argSbx(i)
	case lua.OP_FORLOOP:
		f.set(&m, a, otherMark)
		f.goTo(next, &m)
		f.set(&m, a+3, otherMark)
		next += argSbx(i)
	case lua.OP_TFORLOOP: // the iterator in A is called with state and control
		for r := a; r <= a+2; r++ {
			f.kept = f.kept || m.packet(r)
		}
		for r := a + 2; r < len(m.regs); r++ {
			f.set(&m, r, otherMark)
		}
		f.goTo(next+1, &m)
	case lua.OP_CLOSE: // variables from A on are the closures' own now
		for r := a; r < len(m.regs); r++ {
			m.regs[r] &^= sharedMark
		}
	case lua.OP_NOP:
	default: // OP_VARARG among them
		f.kept = true
	}
	f.goTo(next, &m)
}

// self is R(A+1) := R(B); R(A) := R(B)[RK(C)].
func (f *tracer) self(m *marks, a, b, c int) {
	object := m.regs[b&0xff]
	f.kept = f.kept || m.packet(c)
	if object&packetMark == 0 {
		f.set(m, a, otherMark)
	} else if name, ok := constant(f.proto, c); ok && names().plainMethods[name] {
		f.set(m, a, methodMark)
	} else {
		f.set(m, a, methodMark|givesMark)
	}
	// Where the object is no packet after all its method is anything; but then it is
	// not given a packet as self, and what else it is given is looked at.
	f.set(m, a+1, object)
}

// call judges R(A)(R(A+1), ...): an argument that may be the packet is kept, unless
// it is what a method of packets is called on.
func (f *tracer) call(m *marks, a, b, c int) {
	last := a + b - 1
	if b == 0 { // up to the top of the stack, left there by a call
		last = len(m.regs) - 1
	}
	first := a + 1
	if m.method(a) {
		first++
	}
	for r := first; r <= last && r < len(m.regs); r++ {
		f.kept = f.kept || m.packet(r)
	}
	// A packet that p:reply() gives is as much the engine's as p.
	result := otherMark
	if m.regs[a]&givesMark != 0 {
		result |= packetMark
	}
	end := a + c - 2
	if c == 0 { // as many results as there are, and then the top of the stack
		end = len(m.regs) - 1
	}
	for r := a; r <= end && r < len(m.regs); r++ {
		f.set(m, r, otherMark)
	}
	if end >= a {
		f.set(m, a, result) // a method gives one packet at most
	}
}

// mayBeLayer reports that reading the field named by the operand rk of a packet
// may give a layer. A plain field, whose name says that it is none, may not.
func (f *tracer) mayBeLayer(rk int) bool {
	name, ok := constant(f.proto, rk)
	return !ok || !names().plainFields[name]
}
