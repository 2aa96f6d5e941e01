package luabind

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// direct is what a handler comes to that only says one thing, such as
//
//	function(p) return p:reply() end
//	function(p) return p:unreachable("port") end
//	function() return "drop", "telnet" end
//
// or nil of any other. A filter decides for most such handlers, and the function says
// the same for every packet: it is read once, when it is given to on, and from then on
// asked without Lua, which takes a third of the time. What it does and counts is what
// Lua would; one that would raise is left to Lua, which knows how to say it.
//
// The compiled code is gopher-lua's: a SELF, the constants, and a CALL or RETURN.
func (in *instance) direct(fn *lua.LFunction) func(*packet.Packet) engine.Verdict {
	if fn.IsG || fn.Proto.IsVarArg&lua.VarArgIsVarArg != 0 {
		return nil
	}
	if method, args, ok := onlyAnswer(fn.Proto); ok {
		return directAnswer(method, args)
	}
	values, ok := onlyConstants(fn.Proto)
	if !ok {
		return nil
	}
	v, err := in.verdict(values)
	if err != nil {
		return nil
	}
	return func(*packet.Packet) engine.Verdict { return v }
}

// unlessBroken is run while the state is whole: out of service is the whole script.
func (in *instance) unlessBroken(run func(*packet.Packet) engine.Verdict) func(*packet.Packet) engine.Verdict {
	return func(p *packet.Packet) engine.Verdict {
		if in.broken != nil {
			return engine.Fail(in.broken)
		}
		return run(p)
	}
}

// onlyAnswer reads return p:method(constants).
func onlyAnswer(proto *lua.FunctionProto) (method string, args []lua.LValue, ok bool) {
	code := proto.Code
	if proto.NumParameters == 0 || len(code) < 2 || opcode(code[0]) != lua.OP_SELF || argB(code[0]) != 0 {
		return "", nil, false
	}
	method, ok = constant(proto, argC(code[0]))
	if !ok {
		return "", nil, false
	}
	base := argA(code[0]) // of the method; the packet and the arguments follow
	for pc, i := range code[1:] {
		switch opcode(i) {
		case lua.OP_LOADK:
			if argA(i) != base+2+len(args) {
				return "", nil, false
			}
			args = append(args, proto.Constants[argBx(i)])
		case lua.OP_TAILCALL:
			// B counts the packet, too.
			return method, args, argA(i) == base && argB(i) == len(args)+2 && pc+1 == len(args)+1
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}

// directAnswer is the answer of that name, where arguments have nothing to say but
// which.
func directAnswer(method string, args []lua.LValue) func(*packet.Packet) engine.Verdict {
	var answer func(*packet.Packet) *packet.Packet
	switch {
	case method == "unreachable" && len(args) == 1:
		word, _ := args[0].(lua.LString)
		what, ok := unreachableKinds[string(word)]
		if !ok {
			return nil
		}
		answer = func(p *packet.Packet) *packet.Packet { return p.Unreachable(what, 0) }
	case len(args) > 0:
		return nil
	case method == "reply":
		return func(*packet.Packet) engine.Verdict { return engine.Reply() }
	case method == "rst":
		answer = (*packet.Packet).RST
	case method == "ttl_exceeded":
		answer = (*packet.Packet).TTLExceeded
	default:
		return nil
	}
	return func(p *packet.Packet) engine.Verdict { return engine.Replace(answer(p)) }
}

// onlyConstants reads the return of nothing or of constants.
func onlyConstants(proto *lua.FunctionProto) (values []lua.LValue, ok bool) {
	first := -1
	for _, i := range proto.Code {
		at := argA(i)
		var v lua.LValue
		switch opcode(i) {
		case lua.OP_LOADK:
			v = proto.Constants[argBx(i)]
		case lua.OP_LOADBOOL:
			if argC(i) != 0 {
				return nil, false
			}
			v = lua.LBool(argB(i) != 0)
		case lua.OP_LOADNIL:
			if argB(i) != at {
				return nil, false
			}
			v = lua.LNil
		case lua.OP_RETURN:
			n := argB(i) - 1
			return values, n == 0 && first < 0 || n == len(values) && at == first
		default:
			return nil, false
		}
		if first < 0 {
			first = at
		}
		if at != first+len(values) {
			return nil, false
		}
		values = append(values, v)
	}
	return nil, false
}

// constant is the string constant that the operand rk names.
func constant(proto *lua.FunctionProto, rk int) (string, bool) {
	if rk < 256 || rk-256 >= len(proto.Constants) {
		return "", false
	}
	s, ok := proto.Constants[rk-256].(lua.LString)
	return string(s), ok
}
