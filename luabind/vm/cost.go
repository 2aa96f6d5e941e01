package vm

import lua "github.com/yuin/gopher-lua"

// Some instructions take much longer than others: making a table 300 ns, comparing
// two strings of a megabyte a millisecond. Nothing tells the meter when one runs, but
// every checkpoint it can look at the one at hand, and take it for a sample of the
// slice. Checkpoints come at odd intervals, so over many of them the charge is just.

// longString is the length from which the time to compare or hash a string shows.
const longString = 256

// costOfNext is what the instruction that L is about to run costs beyond an
// ordinary one, in instructions.
func costOfNext(L *lua.LState) int {
	f := currentFrame(L)
	if !f.ok() {
		return 0
	}
	in, ok := f.inst()
	if !ok {
		return 0
	}
	switch in.op() {
	case lua.OP_NEWTABLE:
		return 16
	case lua.OP_CLOSURE:
		return 6
	case lua.OP_SETTABLE:
		return 4 + operandCost(L, f, in.b(), 256) + fillCost(L, f, in)
	case lua.OP_SETTABLEKS:
		return 4
	case lua.OP_GETTABLE:
		return operandCost(L, f, in.c(), 256)
	case lua.OP_EQ:
		return min(operandCost(L, f, in.b(), 256), operandCost(L, f, in.c(), 256))
	case lua.OP_LT, lua.OP_LE:
		return min(operandCost(L, f, in.b(), 16), operandCost(L, f, in.c(), 16))
	case lua.OP_ADD, lua.OP_SUB, lua.OP_MUL, lua.OP_DIV, lua.OP_MOD, lua.OP_POW:
		return operandCost(L, f, in.b(), 16) + operandCost(L, f, in.c(), 16)
	case lua.OP_UNM:
		return operandCost(L, f, in.b(), 16)
	}
	return 0
}

// operandCost is the cost of going through an operand if it is a long string, at so
// many bytes an instruction.
func operandCost(L *lua.LState, f frame, rk, bytes int) int {
	if rk&bitRK != 0 {
		return 0 // a constant of the source is not that long
	}
	if str, ok := register(L, f, rk).(lua.LString); ok && len(str) > longString {
		return len(str) / bytes
	}
	return 0
}

// fillCost is the cost of the nils between the end of an array and an element set
// beyond it.
func fillCost(L *lua.LState, f frame, in instruction) int {
	var key lua.LValue
	if rk := in.b(); rk&bitRK != 0 {
		key = f.fn().Proto.Constants[rk&^bitRK]
	} else {
		key = register(L, f, rk)
	}
	n, ok := key.(lua.LNumber)
	if !ok || !(n > 32 && n < maxArrayIndex) {
		return 0
	}
	t, ok := register(L, f, in.a()).(*lua.LTable)
	if !ok {
		return 0
	}
	return max(0, int(n)-arrayLen(t)) / 4
}

// chargeKey charges for hashing or comparing v in Go, if it is a long string.
func (s *State) chargeKey(L *lua.LState, v lua.LValue) {
	if str, ok := v.(lua.LString); ok && len(str) > longString {
		s.Charge(L, len(str)/256)
	}
}
