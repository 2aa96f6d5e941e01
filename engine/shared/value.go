package shared

// Value is a string, a number or a boolean. The zero Value is none of them.
type Value struct {
	kind kind
	num  float64 // 1 for true
	str  string
}

type kind uint8

const (
	nothing kind = iota
	text
	number
	boolean
)

// String is a string as a value.
func String(s string) Value { return Value{kind: text, str: s} }

// Number is a number as a value.
func Number(n float64) Value { return Value{kind: number, num: n} }

// Bool is a boolean as a value.
func Bool(b bool) Value {
	v := Value{kind: boolean}
	if b {
		v.num = 1
	}
	return v
}

// Text is the string that v is.
func (v Value) Text() (string, bool) { return v.str, v.kind == text }

// Number is the number that v is.
func (v Value) Number() (float64, bool) { return v.num, v.kind == number }

// Bool is the boolean that v is.
func (v Value) Bool() (b, ok bool) { return v.num != 0, v.kind == boolean }
