package lint

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/yuin/gopher-lua/ast"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
)

// mayBe are the expressions of which e has the value of one, as far as that is seen:
// both sides of "or", and what a variable holds that is given one constant.
func (f *file) mayBe(e ast.Expr) []ast.Expr {
	if l, ok := e.(*ast.LogicalOpExpr); ok {
		right := f.mayBe(l.Rhs)
		if l.Operator == "and" {
			return right
		}
		return append(f.mayBe(l.Lhs), right...)
	}
	return []ast.Expr{e}
}

// constant is the constant that e is, or e itself.
func (f *file) constant(e ast.Expr) ast.Expr {
	for range 8 {
		id, ok := e.(*ast.IdentExpr)
		if !ok {
			return e
		}
		v := f.vars[id]
		if v == nil || v.opaque || v.fn != nil || len(v.values) != 1 || v.values[0].n != 0 || f.globals[v.name] == v {
			return e
		}
		switch x := v.values[0].expr.(type) {
		case *ast.StringExpr, *ast.NumberExpr, *ast.TrueExpr, *ast.FalseExpr, *ast.UnaryMinusOpExpr, *ast.IdentExpr:
			e = x
		default:
			return e
		}
	}
	return e
}

func (f *file) text(e ast.Expr) (string, bool) {
	s, ok := f.constant(e).(*ast.StringExpr)
	if !ok {
		return "", false
	}
	return s.Value, true
}

func (f *file) number(e ast.Expr) (float64, bool) {
	switch e := f.constant(e).(type) {
	case *ast.NumberExpr:
		return parseNumber(e.Value)
	case *ast.UnaryMinusOpExpr:
		n, ok := f.number(e.Expr)
		return -n, ok
	}
	return 0, false
}

// parseNumber reads what Lua reads; ok is false for what is left to Lua.
func parseNumber(s string) (float64, bool) {
	if rest, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		n, err := strconv.ParseUint(rest, 16, 64)
		return float64(n), err == nil
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsInf(n, 0) && !strings.ContainsAny(s, "_")
}

// word is what stands at a constant, for Finding.Word.
func (f *file) word(e ast.Expr) string {
	if s, ok := f.text(e); ok {
		return s
	}
	if n, ok := f.number(e); ok {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	return ""
}

// mismatch says what e is if it surely is nothing of type t, else "".
func (f *file) mismatch(t string, e ast.Expr) string {
	got := f.typeOf(e)
	if got.name == "" || f.c.api.admits(t, got) {
		return ""
	}
	if s, ok := f.text(e); ok {
		return fmt.Sprintf("the string %q", clip(s))
	}
	if n, ok := f.number(e); ok {
		return "the number " + strconv.FormatFloat(n, 'g', -1, 64)
	}
	if c := f.c.api.classes[got.name]; c != nil && c.Kind == luabind.Layer && got.name != "packet" {
		return "a layer (" + got.name + ")"
	}
	return "a " + got.name
}

// admits says whether a value of type got may be of type t of LuaLS.
func (a *api) admits(t string, got typ) bool {
	if strings.HasSuffix(t, "?") && got.name == "nil" {
		return true
	}
	for _, part := range union(strings.TrimSuffix(t, "?")) {
		want := a.parse(part)
		switch {
		case want.name == "": // any, and what is not known here
			if alias, ok := a.aliases[part]; !ok || a.admits(alias, got) {
				return true
			}
		case want.name == got.name:
			return true
		}
	}
	return false
}

// describe is a type in words.
func (a *api) describe(t string) string {
	t = strings.TrimSuffix(t, "?")
	switch t {
	case "boolean":
		return "true or false"
	case "integer", "number":
		return "a number"
	case "string":
		return "a string"
	case "address":
		return `an address such as "192.0.2.1" or "2001:db8::1"`
	case "mac":
		return `an Ethernet address such as "02:00:00:00:00:01"`
	case "flags":
		return `flags such as "SA"`
	case "device.name":
		return "the name of a device"
	case "filter":
		return `a filter such as "tcp dst port 80"`
	case "handler", "function":
		return "a function"
	}
	if c := a.tableClass(t); c != nil {
		return "a table of fields"
	}
	if strings.HasPrefix(t, "fun(") {
		return "a function"
	}
	return strings.ReplaceAll(t, "|", " or ")
}

// checkContent looks into a constant or table of type t: a string may be no address,
// a table may have keys that there are not.
func (f *file) checkContent(what, t string, e ast.Expr) {
	if table, ok := e.(*ast.TableExpr); ok {
		if c := f.c.api.tableClass(t); c != nil {
			f.checkTable(what, c, table)
		}
		return
	}
	s, ok := f.text(e)
	if !ok {
		return
	}
	literals, kinds := map[string]bool{}, []string{}
	for _, part := range f.c.api.parts(t) {
		switch {
		case strings.HasPrefix(part, `"`):
			literals[strings.Trim(part, `"`)] = true
		case part == "any" || f.c.api.parse(part).name == "string":
			kinds = append(kinds, part)
		}
	}
	switch {
	case len(literals) > 0 && len(kinds) == 0:
		if !literals[s] {
			f.report(f.at(e), Error, s, similar(s, literals), "%s: there is no %q", what, clip(s))
		}
	case len(literals) == 0 && len(kinds) == 1:
		f.checkText(what, kinds[0], s, e)
	}
}

// checkText looks at a constant string of a type that not every string is of.
func (f *file) checkText(what, kind, s string, e ast.Expr) {
	switch kind {
	case "address":
		if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" {
			f.report(f.at(e), Error, s, "", "%s: %q is no address: write one such as \"192.0.2.1\" or \"2001:db8::1\"", what, clip(s))
		}
	case "mac":
		if _, err := packet.ParseMAC(s); err != nil {
			f.report(f.at(e), Error, s, "", "%s: %q is no Ethernet address: write six bytes as 02:00:00:00:00:01", what, clip(s))
		}
	case "flags":
		if _, err := packet.ParseFlags(s); err != nil {
			f.report(f.at(e), Error, s, "", "%s: %s", what, reason(err))
		}
	case "filter":
		f.checkFilter(e, s)
	case "device.name":
		f.checkDevice(f.at(e), s)
	}
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

// checkDevice looks at the name of a device, if devices are known.
func (f *file) checkDevice(at int, name string) {
	if f.c.opt.Devices == nil {
		return
	}
	known := map[string]bool{}
	for _, d := range f.c.opt.Devices {
		known[d] = true
	}
	if !known[name] {
		f.report(at, Error, name, similar(name, known), "there is no device %q", clip(name))
	}
}
