package luabind

import (
	"slices"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/luabind/vm"
)

// Bounds of what is shown of a value, and of what is looked at for it, as packets wait
// meanwhile.
const (
	maxView      = 64 << 10 // bytes
	maxViewDepth = 4        // tables in tables
	maxViewKeys  = 100      // of one table
	maxViewLook  = 100_000  // places of all tables together, some 20 ms
)

// A viewer makes text of values.
type viewer struct {
	in   *instance
	b    strings.Builder
	room int // bytes that may still be shown
	look int // places of tables that may still be looked at
}

// text adds s, as far as there is room.
func (v *viewer) text(s string) {
	if len(s) > v.room {
		if v.room > 0 {
			v.b.WriteString(s[:v.room] + "...")
		}
		v.room = 0
		return
	}
	v.room -= len(s)
	v.b.WriteString(s)
}

func (v *viewer) value(value lua.LValue, depth int) {
	switch x := value.(type) {
	case lua.LString:
		v.text(viewString(x))
		return
	case *lua.LTable, *lua.LUserData:
		if s, ok := v.said(value); ok {
			v.text(s)
			return
		}
		if t, ok := x.(*lua.LTable); ok {
			v.table(v.in.state.Shown(t), depth)
			return
		}
	}
	v.text(value.String())
}

// said is what the value's own __tostring says.
func (v *viewer) said(value lua.LValue) (string, bool) {
	fn, ok := v.in.state.L().GetMetaField(value, "__tostring").(*lua.LFunction)
	if !ok {
		return "", false
	}
	values, err := v.in.enter(fn, value)
	switch {
	case err != nil:
		return "<" + err.Error() + ">", true
	case len(values) == 0:
		return "", false
	}
	return values[0].String(), true
}

// table is t as a constructor: what stands at 1, 2 and so on first, then the other keys in
// the order of their texts.
func (v *viewer) table(t *lua.LTable, depth int) {
	if depth == maxViewDepth || v.look <= 0 {
		v.text("{...}")
		return
	}
	v.look -= vm.Places(t)
	n, shown := 0, 0
	for n <= maxViewKeys && t.RawGetInt(n+1) != lua.LNil { // not Len, which counts holes
		n++
	}
	more := func() bool {
		if shown++; shown > 1 {
			v.text(", ")
		}
		if shown > maxViewKeys {
			v.text("...")
		}
		return shown <= maxViewKeys && v.room > 0
	}
	v.text("{")
	for i := 1; i <= n; i++ {
		if !more() {
			v.text("}")
			return
		}
		v.value(t.RawGetInt(i), depth+1)
	}
	for _, e := range v.entries(t, n) {
		if !more() {
			break
		}
		v.text(e.key + " = ")
		v.value(e.value, depth+1)
	}
	v.text("}")
}

// An entry is what stands in a table at a key that is not of its list.
type entry struct {
	key   string // as a constructor has it
	value lua.LValue
}

// entries are those of t behind its n elements, in the order of their keys' texts. Of a
// table that is too large to look at they are the first that turn up.
func (v *viewer) entries(t *lua.LTable, n int) (all []entry) {
	for k, value := t.Next(lua.LNil); k != lua.LNil; k, value = t.Next(k) {
		if i, ok := k.(lua.LNumber); ok && i >= 1 && i <= lua.LNumber(n) && i == lua.LNumber(int(i)) {
			continue
		}
		if all = append(all, entry{keyText(k), value}); v.look < 0 && len(all) > maxViewKeys {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return all
}

// keyText is a key as a constructor has it.
func keyText(k lua.LValue) string {
	s, ok := k.(lua.LString)
	switch {
	case !ok:
		return "[" + k.String() + "]"
	case isName(string(s)):
		return string(s)
	}
	return "[" + viewString(s) + "]"
}

// viewString is s in quotes, or as much of it as may be shown.
func viewString(s lua.LString) string { return strconv.Quote(string(s[:min(len(s), maxView)])) }

// isName reports a word that needs no quotes as a key.
func isName(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
