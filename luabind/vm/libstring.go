package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func (s *State) stringLib() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"byte":     s.strByte,
		"char":     strChar,
		"dump":     func(L *lua.LState) int { raise(L, "unable to dump given function"); return 0 },
		"find":     func(L *lua.LState) int { return s.strFind(L, true) },
		"format":   s.strFormat,
		"gmatch":   s.strGmatch,
		"gsub":     s.strGsub,
		"len":      strLen,
		"lower":    s.strLower,
		"packsize": s.strPackSize,
		"match":    func(L *lua.LState) int { return s.strFind(L, false) },
		"pack":     s.strPack,
		"rep":      s.strRep,
		"reverse":  s.strReverse,
		"sub":      strSub,
		"unpack":   s.strUnpack,
		"upper":    s.strUpper,
	}
}

// fromEnd makes a position in a string of length n positive: -1 is the last.
func fromEnd(pos, n int) int {
	if pos < 0 {
		pos += n + 1
	}
	return max(pos, 0)
}

func strLen(L *lua.LState) int {
	pushInt(L, len(checkString(L, 1)))
	return 1
}

func strSub(L *lua.LState) int {
	str := checkString(L, 1)
	i := max(1, fromEnd(checkInt(L, 2), len(str)))
	j := min(len(str), fromEnd(optInt(L, 3, -1), len(str)))
	if i > j {
		pushString(L, "")
		return 1
	}
	pushString(L, cut(str, i-1, j))
	return 1
}

// cut is str[i:j], as a copy where that is much shorter: a script that keeps four
// bytes of every packet must not keep the packets.
func cut(str string, i, j int) string {
	if len(str) > 64 && j-i < len(str)/2 {
		return strings.Clone(str[i:j])
	}
	return str[i:j]
}

func (s *State) strByte(L *lua.LState) int {
	str := checkString(L, 1)
	pos := fromEnd(optInt(L, 2, 1), len(str))
	end := min(len(str), fromEnd(optInt(L, 3, pos), len(str)))
	pos = max(pos, 1)
	n := end - pos + 1
	if n <= 0 {
		return 0
	}
	if n >= maxResults {
		raise(L, "string slice too long")
	}
	if n > 16 {
		s.Charge(L, n/4)
	}
	for i := pos - 1; i < end; i++ {
		L.Push(smallInts[str[i]])
	}
	return n
}

func strChar(L *lua.LState) int {
	n := L.GetTop()
	b := make([]byte, n)
	for i := range b {
		c := checkInt(L, i+1)
		if c < 0 || c > 255 {
			argError(L, i+1, "invalid value")
		}
		b[i] = byte(c)
	}
	pushString(L, string(b))
	return 1
}

// strRep takes the separator of Lua 5.2, too.
func (s *State) strRep(L *lua.LState) int {
	str := checkString(L, 1)
	n := checkInt(L, 2)
	sep := optString(L, 3, "")
	if n <= 0 || len(str)+len(sep) == 0 {
		pushString(L, "")
		return 1
	}
	if n > s.lim.String+1 {
		s.limitString(L, -1)
	}
	s.limitString(L, n*len(str)+(n-1)*len(sep))
	if sep == "" {
		pushString(L, strings.Repeat(str, n))
	} else {
		pushString(L, strings.Repeat(str+sep, n-1)+str)
	}
	return 1
}

func (s *State) strReverse(L *lua.LState) int {
	str := checkString(L, 1)
	s.limitString(L, len(str))
	b := make([]byte, len(str))
	for i := range b {
		b[i] = str[len(str)-1-i]
	}
	pushString(L, string(b))
	return 1
}

// strLower and strUpper know ASCII alone, as the C locale does; anything else
// would change bytes of a packet that are no text.
func (s *State) strLower(L *lua.LState) int { return s.mapBytes(L, 'A', 'Z', 'a'-'A') }
func (s *State) strUpper(L *lua.LState) int { return s.mapBytes(L, 'a', 'z', 'A'-'a'+256) }

func (s *State) mapBytes(L *lua.LState, from, to byte, add int) int {
	str := checkString(L, 1)
	s.limitString(L, len(str))
	b := []byte(str)
	for i, c := range b {
		if from <= c && c <= to {
			b[i] = byte(int(c) + add)
		}
	}
	pushString(L, string(b))
	return 1
}
