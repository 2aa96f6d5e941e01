package vm

import (
	"encoding/binary"
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// string.pack, unpack and packsize are Lua 5.3's (its manual, 6.4.2), but for these: the
// byte order is big-endian unless the format says otherwise, as protocols are; integers
// are Lua 5.1's numbers, exact up to 2^53, and unsigned ones of eight bytes are unsigned;
// z does not take the end of the data for a zero, as Lua 5.4 does not.

// A packOption is one option of a format.
type packOption struct {
	kind   packKind
	letter byte
	size   int // bytes of the value, or of the length before a string
	align  int // bytes of padding before it
}

type packKind uint8

const (
	packInt packKind = iota
	packUint
	packFloat
	packFixed  // c: a string of size bytes
	packPrefix // s: a string after its length
	packZero   // z: a string and a zero
	packByte   // x: a byte of padding
	packAlign  // X: padding up to the next option
	packNone
)

const (
	maxPackInt  = 16
	nativeAlign = 8 // of the C compiler on amd64, for ! alone
)

// A packFormat reads a format option by option.
type packFormat struct {
	s     *State
	L     *lua.LState
	text  string
	order binary.ByteOrder
	align int // the largest
}

func (s *State) newPackFormat(L *lua.LState) *packFormat {
	return &packFormat{s: s, L: L, text: checkString(L, 1), order: binary.BigEndian, align: 1}
}

func (f *packFormat) more() bool { return f.text != "" }

// size is the number that may follow a letter.
func (f *packFormat) size(def int) int {
	if !f.digit() {
		return def
	}
	n := 0
	for f.digit() && n <= (math.MaxInt32-9)/10 {
		n = n*10 + int(f.text[0]-'0')
		f.text = f.text[1:]
	}
	return n
}

func (f *packFormat) digit() bool { return f.text != "" && '0' <= f.text[0] && f.text[0] <= '9' }

// intSize is the number as the size of an integer.
func (f *packFormat) intSize(def int) int {
	n := f.size(def)
	if n < 1 || n > maxPackInt {
		raise(f.L, "integral size (%d) out of limits [1,%d]", n, maxPackInt)
	}
	return n
}

// letter reads one option without looking at what is around it.
func (f *packFormat) letter() (o packOption) {
	o.letter, f.text = f.text[0], f.text[1:]
	switch o.letter {
	case 'b', 'B':
		o.size = 1
	case 'h', 'H':
		o.size = 2
	case 'i', 'I':
		o.size = f.intSize(4)
	case 'l', 'L', 'j', 'J', 'T':
		o.size = 8
	case 'f':
		o.kind, o.size = packFloat, 4
	case 'd', 'n':
		o.kind, o.size = packFloat, 8
	case 's':
		o.kind, o.size = packPrefix, f.intSize(8)
	case 'c':
		o.kind, o.size = packFixed, f.size(-1)
		if o.size < 0 {
			raise(f.L, "missing size for format option 'c'")
		}
	case 'z':
		o.kind = packZero
	case 'x':
		o.kind, o.size = packByte, 1
	case 'X':
		o.kind = packAlign
	case ' ':
		o.kind = packNone
	case '<':
		o.kind, f.order = packNone, binary.LittleEndian
	case '>':
		o.kind, f.order = packNone, binary.BigEndian
	case '=':
		o.kind, f.order = packNone, binary.NativeEndian
	case '!':
		o.kind = packNone
		f.align = f.intSize(nativeAlign)
	default:
		raise(f.L, "invalid format option '%c'", o.letter)
	}
	if o.kind == packInt && strings.IndexByte("BHILJT", o.letter) >= 0 {
		o.kind = packUint
	}
	return o
}

// next reads one option, and how much padding comes before it where total bytes are
// there already.
func (f *packFormat) next(total int) packOption {
	f.s.Charge(f.L, 1)
	o := f.letter()
	align := o.size
	if o.kind == packAlign {
		if f.text == "" {
			argError(f.L, 1, "invalid next option for option 'X'")
		}
		of := f.letter()
		if align = of.size; of.kind == packFixed || align == 0 {
			argError(f.L, 1, "invalid next option for option 'X'")
		}
	}
	if align <= 1 || o.kind == packFixed {
		return o
	}
	align = min(align, f.align)
	if align&(align-1) != 0 {
		argError(f.L, 1, "format asks for alignment not power of 2")
	}
	o.align = (align - total&(align-1)) & (align - 1)
	return o
}

func (s *State) strPack(L *lua.LState) int {
	f := s.newPackFormat(L)
	var b []byte
	arg := 1
	room := func(n int) {
		if n > s.lim.String-len(b) {
			s.limitString(L, s.lim.String+1)
		}
	}
	for f.more() {
		o := f.next(len(b))
		room(o.align + o.size)
		b = append(b, make([]byte, o.align)...)
		switch o.kind {
		case packInt, packUint:
			arg++
			b = f.appendInt(b, o, arg)
		case packFloat:
			arg++
			v := checkNumber(L, arg)
			if o.size == 4 {
				b = f.appendWord(b, uint64(math.Float32bits(float32(v))), 4, 0)
			} else {
				b = f.appendWord(b, math.Float64bits(v), 8, 0)
			}
		case packFixed:
			arg++
			str := checkString(L, arg)
			if len(str) > o.size {
				argError(L, arg, "string longer than given size")
			}
			b = append(append(b, str...), make([]byte, o.size-len(str))...)
		case packPrefix:
			arg++
			str := checkString(L, arg)
			if o.size < 8 && uint64(len(str)) >= 1<<(8*o.size) {
				argError(L, arg, "string length does not fit in given size")
			}
			room(o.size + len(str))
			b = append(f.appendWord(b, uint64(len(str)), o.size, 0), str...)
		case packZero:
			arg++
			str := checkString(L, arg)
			if strings.IndexByte(str, 0) >= 0 {
				argError(L, arg, "string contains zeros")
			}
			room(len(str) + 1)
			b = append(append(b, str...), 0)
		case packByte:
			b = append(b, 0)
		}
	}
	s.limitString(L, len(b))
	pushString(L, string(b))
	return 1
}

// appendInt appends argument arg.
func (f *packFormat) appendInt(b []byte, o packOption, arg int) []byte {
	v := checkNumber(f.L, arg)
	if v != math.Trunc(v) || v < -(1<<63) || v >= 1<<64 {
		argError(f.L, arg, "number has no integer representation")
	}
	signed := o.kind == packInt
	if o.size < 8 {
		lim := math.Ldexp(1, 8*o.size)
		switch {
		case signed && (v < -lim/2 || v >= lim/2):
			argError(f.L, arg, "integer overflow")
		case !signed && (v < 0 || v >= lim):
			argError(f.L, arg, "unsigned overflow")
		}
	}
	word, fill := uint64(v), byte(0)
	if v < 0 {
		word = uint64(int64(v))
		if signed {
			fill = 0xff
		}
	}
	return f.appendWord(b, word, o.size, fill)
}

// appendWord appends size bytes of v, those beyond eight filled up.
func (f *packFormat) appendWord(b []byte, v uint64, size int, fill byte) []byte {
	from := len(b)
	for i := range size {
		c := fill
		if i < 8 {
			c = byte(v >> (8 * i))
		}
		b = append(b, c)
	}
	if f.order.Uint16([]byte{0, 1}) == 1 { // big-endian
		for i, j := from, len(b)-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
	return b
}

func (s *State) strUnpack(L *lua.LState) int {
	f := s.newPackFormat(L)
	data := checkString(L, 2)
	pos := optInt(L, 3, 1)
	if pos < 0 {
		pos = max(len(data)+pos+1, 0)
	}
	if pos--; pos < 0 || pos > len(data) {
		argError(L, 3, "initial position out of string")
	}
	n := 0
	for f.more() {
		o := f.next(pos)
		if o.align+o.size > len(data)-pos {
			argError(L, 2, "data string too short")
		}
		pos += o.align
		if n++; n >= maxResults {
			raise(L, "too many results")
		}
		field := data[pos : pos+o.size]
		pos += o.size
		switch o.kind {
		case packInt, packUint:
			L.Push(lua.LNumber(f.word(field, o.kind == packInt)))
		case packFloat:
			L.Push(lua.LNumber(f.float(field)))
		case packFixed:
			pushString(L, strings.Clone(field))
		case packPrefix:
			l := f.word(field, false)
			if l > float64(len(data)-pos) {
				argError(L, 2, "data string too short")
			}
			s.chargeBytes(L, int(l))
			pushString(L, cut(data, pos, pos+int(l)))
			pos += int(l)
		case packZero:
			end := strings.IndexByte(data[pos:], 0)
			if end < 0 {
				argError(L, 2, "unfinished string for format 'z'")
			}
			s.chargeBytes(L, end)
			pushString(L, cut(data, pos, pos+end))
			pos += end + 1
		default:
			n--
		}
	}
	pushInt(L, pos+1)
	return n + 1
}

// word reads an integer.
func (f *packFormat) word(field string, signed bool) float64 {
	little := f.order.Uint16([]byte{0, 1}) != 1
	var v uint64
	for i := range len(field) { // from the least significant byte
		at := len(field) - 1 - i
		if little {
			at = i
		}
		if i < 8 {
			v |= uint64(field[at]) << (8 * i)
			continue
		}
		fill := byte(0)
		if signed && int64(v) < 0 {
			fill = 0xff
		}
		if field[at] != fill {
			raise(f.L, "%d-byte integer does not fit into Lua Integer", len(field))
		}
	}
	if !signed {
		return float64(v)
	}
	if n := len(field); n < 8 {
		unused := 64 - 8*n
		return float64(int64(v<<unused) >> unused)
	}
	return float64(int64(v))
}

func (f *packFormat) float(field string) float64 {
	if len(field) == 4 {
		return float64(math.Float32frombits(f.order.Uint32([]byte(field))))
	}
	return math.Float64frombits(f.order.Uint64([]byte(field)))
}

func (s *State) strPackSize(L *lua.LState) int {
	f := s.newPackFormat(L)
	total := 0
	for f.more() {
		o := f.next(total)
		if o.kind == packPrefix || o.kind == packZero {
			argError(L, 1, "variable-length format")
		}
		if total += o.align + o.size; total > math.MaxInt32 {
			argError(L, 1, "format result too large")
		}
	}
	pushInt(L, total)
	return 1
}
