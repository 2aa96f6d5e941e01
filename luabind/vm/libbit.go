package vm

import (
	"math"
	"math/bits"

	lua "github.com/yuin/gopher-lua"
)

// bitLib is LuaJIT's bit: 32-bit words whose results are signed (bitop.luajit.org).
func bitLib() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"tobit":   func(L *lua.LState) int { return pushSigned(L, checkWord(L, 1)) },
		"tohex":   bitToHex,
		"bnot":    func(L *lua.LState) int { return pushSigned(L, ^checkWord(L, 1)) },
		"bswap":   func(L *lua.LState) int { return pushSigned(L, bits.ReverseBytes32(checkWord(L, 1))) },
		"band":    fold(pushSigned, func(a, b uint32) uint32 { return a & b }),
		"bor":     fold(pushSigned, func(a, b uint32) uint32 { return a | b }),
		"bxor":    fold(pushSigned, func(a, b uint32) uint32 { return a ^ b }),
		"lshift":  shift(func(x uint32, n int) uint32 { return x << n }),
		"rshift":  shift(func(x uint32, n int) uint32 { return x >> n }),
		"arshift": shift(func(x uint32, n int) uint32 { return uint32(int32(x) >> n) }),
		"rol":     shift(bits.RotateLeft32),
		"ror":     shift(func(x uint32, n int) uint32 { return bits.RotateLeft32(x, -n) }),
	}
}

// checkWord is argument n modulo 2^32, rounded to the nearest whole number.
func checkWord(L *lua.LState, n int) uint32 {
	f := checkNumber(L, n)
	if i := int64(f); float64(i) == f {
		return uint32(i)
	}
	f = math.Mod(math.RoundToEven(f), 1<<32)
	return uint32(int64(f)) // of no number and of infinity 0
}

func pushSigned(L *lua.LState, v uint32) int {
	if v < uint32(len(smallInts)) {
		L.Push(smallInts[v])
	} else {
		L.Push(lua.LNumber(int32(v)))
	}
	return 1
}

func pushUnsigned(L *lua.LState, v uint32) int {
	pushInt(L, int(v))
	return 1
}

// fold is an operation over one argument or more.
func fold(push func(*lua.LState, uint32) int, op func(a, b uint32) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		v := checkWord(L, 1)
		for i := 2; i <= L.GetTop(); i++ {
			v = op(v, checkWord(L, i))
		}
		return push(L, v)
	}
}

// shift is an operation by the lower five bits of its second argument.
func shift(op func(x uint32, n int) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		x := checkWord(L, 1)
		return pushSigned(L, op(x, int(checkWord(L, 2)&31)))
	}
}

// bitToHex is tohex(x [, n]): n digits, 8 if not given and 254 at most; less than 0 for
// capitals.
func bitToHex(L *lua.LState) int {
	x, n, digits := checkWord(L, 1), 8, "0123456789abcdef"
	if L.Get(2) != lua.LNil {
		n = int(int32(checkWord(L, 2)))
	}
	if n < 0 {
		n, digits = -max(n, -254), "0123456789ABCDEF"
	}
	n = min(n, 254)
	b := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		b[i] = digits[x&15]
		x >>= 4
	}
	pushString(L, string(b))
	return 1
}

// bit32Lib is Lua 5.2's bit32: the same words, unsigned as the fields of packets are.
func bit32Lib() map[string]lua.LGFunction {
	and := func(a, b uint32) uint32 { return a & b }
	return map[string]lua.LGFunction{
		"band":    fromNothing(and, 1<<32-1),
		"bor":     fromNothing(func(a, b uint32) uint32 { return a | b }, 0),
		"bxor":    fromNothing(func(a, b uint32) uint32 { return a ^ b }, 0),
		"bnot":    func(L *lua.LState) int { return pushUnsigned(L, ^checkWord(L, 1)) },
		"btest":   bit32Test,
		"lshift":  displace(func(x uint32, n int) uint32 { return x << n }, func(x uint32, n int) uint32 { return x >> n }),
		"rshift":  displace(func(x uint32, n int) uint32 { return x >> n }, func(x uint32, n int) uint32 { return x << n }),
		"arshift": displace(func(x uint32, n int) uint32 { return uint32(int32(x) >> n) }, func(x uint32, n int) uint32 { return x << n }),
		"lrotate": displace(func(x uint32, n int) uint32 { return bits.RotateLeft32(x, n&31) }, func(x uint32, n int) uint32 { return bits.RotateLeft32(x, -(n & 31)) }),
		"rrotate": displace(func(x uint32, n int) uint32 { return bits.RotateLeft32(x, -(n & 31)) }, func(x uint32, n int) uint32 { return bits.RotateLeft32(x, n&31) }),
		"extract": bit32Extract,
		"replace": bit32Replace,
	}
}

// fromNothing is an operation over any number of arguments, none included.
func fromNothing(op func(a, b uint32) uint32, none uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		v := none
		for i := 1; i <= L.GetTop(); i++ {
			v = op(v, checkWord(L, i))
		}
		return pushUnsigned(L, v)
	}
}

// displace is an operation whose second argument may be less than 0, which is back the
// other way.
func displace(on, back func(x uint32, n int) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		x, n := checkWord(L, 1), checkInt(L, 2)
		if n < 0 {
			return pushUnsigned(L, back(x, -max(n, -1<<40)))
		}
		return pushUnsigned(L, on(x, min(n, 1<<40)))
	}
}

func bit32Test(L *lua.LState) int {
	v := uint32(1<<32 - 1)
	for i := 1; i <= L.GetTop(); i++ {
		v &= checkWord(L, i)
	}
	L.Push(lua.LBool(v != 0))
	return 1
}

// checkField is the field and width that arguments n and n+1 name, as place and mask.
func checkField(L *lua.LState, n int) (at int, mask uint32) {
	at = checkInt(L, n)
	width := optInt(L, n+1, 1)
	if at < 0 {
		argError(L, n, "field cannot be negative")
	}
	if width < 1 {
		argError(L, n+1, "width must be positive")
	}
	if at > 31 || width > 32 || at+width > 32 {
		raise(L, "trying to access non-existent bits")
	}
	return at, uint32(1<<width - 1)
}

func bit32Extract(L *lua.LState) int {
	x := checkWord(L, 1)
	at, mask := checkField(L, 2)
	return pushUnsigned(L, x>>at&mask)
}

func bit32Replace(L *lua.LState) int {
	x, v := checkWord(L, 1), checkWord(L, 2)
	at, mask := checkField(L, 3)
	return pushUnsigned(L, x&^(mask<<at)|v&mask<<at)
}
