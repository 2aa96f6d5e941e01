package vm

import (
	"fmt"
	"reflect"

	lua "github.com/yuin/gopher-lua"
)

// gopher-lua keeps call frames and registers to itself, and three things cannot be
// right without them: refusing a yield across a Go call (the VM would run on with
// the frames of another coroutine), error positions and names as PUC Lua gives
// them, and a walk over what a suspended coroutine holds. They are read by
// reflection and never written. The field numbers are looked up once; a gopher-lua
// in which they are missing makes New fail instead of guessing.

// layout has the indices of the private fields that are read.
type layout struct {
	err error

	// lua.LState
	currentFrame, stack, reg, uvcache int
	// lua.callFrame
	fn, parent, pc, localBase, nret, tailCall, idx int
	// lua.registry
	array, top int
	// lua.autoGrowingCallFrameStack
	segments, segIdx, segSp int
	// lua.LTable
	tabArray, tabDict, tabStr, tabKeys, tabIndex int
}

// inner is the layout of the gopher-lua linked in; constant after start.
var inner = readLayout()

func readLayout() (ly layout) {
	field := func(t reflect.Type, name string, kind reflect.Kind) int {
		f, ok := t.FieldByName(name)
		if !ok || f.Type.Kind() != kind || len(f.Index) != 1 {
			if ly.err == nil {
				ly.err = fmt.Errorf("vm: this gopher-lua has no %v.%s of kind %v: use v1.1.2", t, name, kind)
			}
			return 0
		}
		return f.Index[0]
	}
	st := reflect.TypeFor[lua.LState]()
	ly.currentFrame = field(st, "currentFrame", reflect.Pointer)
	ly.stack = field(st, "stack", reflect.Interface)
	ly.reg = field(st, "reg", reflect.Pointer)
	ly.uvcache = field(st, "uvcache", reflect.Pointer)

	tb := reflect.TypeFor[lua.LTable]()
	ly.tabArray = field(tb, "array", reflect.Slice)
	ly.tabDict = field(tb, "dict", reflect.Map)
	ly.tabStr = field(tb, "strdict", reflect.Map)
	ly.tabKeys = field(tb, "keys", reflect.Slice)
	ly.tabIndex = field(tb, "k2i", reflect.Map)
	if ly.err != nil {
		return ly
	}

	fr := st.Field(ly.currentFrame).Type.Elem()
	ly.fn = field(fr, "Fn", reflect.Pointer)
	ly.parent = field(fr, "Parent", reflect.Pointer)
	ly.pc = field(fr, "Pc", reflect.Int)
	ly.localBase = field(fr, "LocalBase", reflect.Int)
	ly.nret = field(fr, "NRet", reflect.Int)
	ly.idx = field(fr, "Idx", reflect.Int)
	ly.tailCall = field(fr, "TailCall", reflect.Int)

	rg := st.Field(ly.reg).Type.Elem()
	ly.array = field(rg, "array", reflect.Slice)
	ly.top = field(rg, "top", reflect.Int)

	// The stack is an interface; ask a state of the kind that New makes.
	l := lua.NewState(lua.Options{SkipOpenLibs: true, MinimizeStackMemory: true, RegistrySize: 128, CallStackSize: 8})
	defer l.Close()
	sv := reflect.ValueOf(l).Elem().Field(ly.stack).Elem()
	if sv.Kind() != reflect.Pointer || sv.Elem().Kind() != reflect.Struct {
		ly.err = fmt.Errorf("vm: this gopher-lua has another call stack: use v1.1.2")
		return ly
	}
	ly.segments = field(sv.Type().Elem(), "segments", reflect.Slice)
	ly.segIdx = field(sv.Type().Elem(), "segIdx", reflect.Uint16)
	ly.segSp = field(sv.Type().Elem(), "segSp", reflect.Uint8)
	return ly
}

// frame is one active call of a coroutine. The zero frame is none.
type frame struct{ v reflect.Value }

// currentFrame is the innermost active call of L.
func currentFrame(L *lua.LState) frame {
	p := reflect.ValueOf(L).Elem().Field(inner.currentFrame)
	if p.IsNil() {
		return frame{}
	}
	return frame{p.Elem()}
}

// lastFrame is the call that failed in a coroutine that has died of it: the VM has
// popped it and nothing has been pushed since.
func lastFrame(L *lua.LState) frame {
	st := reflect.ValueOf(L).Elem().Field(inner.stack)
	if st.IsNil() {
		return frame{}
	}
	st = st.Elem().Elem()
	seg := st.Field(inner.segments).Index(int(st.Field(inner.segIdx).Uint()))
	sp := int(st.Field(inner.segSp).Uint())
	if seg.IsNil() || sp >= lua.FramesPerSegment {
		return currentFrame(L)
	}
	f := frame{seg.Elem().Field(0).Index(sp)}
	if f.fn() == nil {
		return currentFrame(L)
	}
	return f
}

func (f frame) ok() bool { return f.v.IsValid() }

func (f frame) caller() frame {
	p := f.v.Field(inner.parent)
	if p.IsNil() {
		return frame{}
	}
	return frame{p.Elem()}
}

func (f frame) fn() *lua.LFunction {
	p := f.v.Field(inner.fn)
	if p.IsNil() {
		return nil
	}
	return (*lua.LFunction)(p.UnsafePointer())
}

func (f frame) pc() int        { return int(f.v.Field(inner.pc).Int()) }
func (f frame) localBase() int { return int(f.v.Field(inner.localBase).Int()) }
func (f frame) nret() int      { return int(f.v.Field(inner.nret).Int()) }
func (f frame) depth() int     { return int(f.v.Field(inner.idx).Int()) }
func (f frame) tailCalls() int { return int(f.v.Field(inner.tailCall).Int()) }

// line is the source line the call is at, or 0 in a Go function and in the worker
// of pcall, which counts as one.
func (f frame) line() int {
	fn := f.fn()
	if fn == nil || fn.IsG || hidden(fn.Proto.SourceName) {
		return 0
	}
	pc := f.pc() - 1
	if pc < 0 || pc >= len(fn.Proto.DbgSourcePositions) {
		return 0
	}
	return fn.Proto.DbgSourcePositions[pc]
}

// inst is the instruction the call is at; ok is false in a Go function.
func (f frame) inst() (instruction, bool) {
	fn := f.fn()
	if fn == nil || fn.IsG {
		return 0, false
	}
	pc := f.pc() - 1
	if pc < 0 || pc >= len(fn.Proto.Code) {
		return 0, false
	}
	return instruction(fn.Proto.Code[pc]), true
}

// calling reports whether the call is at an ordinary call instruction, and not in
// an operation that runs a metamethod or an iterator from Go.
func (f frame) calling() bool {
	in, ok := f.inst()
	return ok && (in.op() == lua.OP_CALL || in.op() == lua.OP_TAILCALL)
}

// registers are the live registers of L. The values in it can only be told apart
// by kind; see value.
func registers(L *lua.LState) reflect.Value {
	rg := reflect.ValueOf(L).Elem().Field(inner.reg).Elem()
	arr := rg.Field(inner.array)
	top := min(int(rg.Field(inner.top).Int()), arr.Len())
	return arr.Slice(0, top)
}

// register is the value in register i of f, a frame of L.
func register(L *lua.LState, f frame, i int) lua.LValue {
	arr := reflect.ValueOf(L).Elem().Field(inner.reg).Elem().Field(inner.array)
	if i += f.localBase(); i < arr.Len() {
		return value(arr.Index(i))
	}
	return lua.LNil
}

// registerCap is how many registers L has memory for.
func registerCap(L *lua.LState) int {
	return reflect.ValueOf(L).Elem().Field(inner.reg).Elem().Field(inner.array).Cap()
}

var (
	typeTable    = reflect.TypeFor[*lua.LTable]()
	typeFunction = reflect.TypeFor[*lua.LFunction]()
	typeUserData = reflect.TypeFor[*lua.LUserData]()
	typeThread   = reflect.TypeFor[*lua.LState]()
	typeString   = reflect.TypeFor[lua.LString]()
	typeNumber   = reflect.TypeFor[lua.LNumber]()
	typeBool     = reflect.TypeFor[lua.LBool]()
)

// value is the Lua value in an interface field read by reflection, or LNil.
func value(v reflect.Value) lua.LValue {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return lua.LNil
	}
	switch v.Type() {
	case typeTable:
		return (*lua.LTable)(v.UnsafePointer())
	case typeFunction:
		return (*lua.LFunction)(v.UnsafePointer())
	case typeUserData:
		return (*lua.LUserData)(v.UnsafePointer())
	case typeThread:
		return (*lua.LState)(v.UnsafePointer())
	case typeString:
		return lua.LString(v.String())
	case typeNumber:
		return lua.LNumber(v.Float())
	case typeBool:
		return lua.LBool(v.Bool())
	}
	return lua.LNil
}

// instruction is one of the VM's, as opcode.go of gopher-lua lays it out.
type instruction uint32

const bitRK = 1 << 8 // an operand with this bit is a constant

func (i instruction) op() int { return int(i >> 26) }
func (i instruction) a() int  { return int(i>>18) & 0xff }
func (i instruction) b() int  { return int(i & 0x1ff) }
func (i instruction) c() int  { return int(i>>9) & 0x1ff }
func (i instruction) bx() int { return int(i & 0x3ffff) }
