package stub

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tunscript/tunscript/luabind"
)

// Page is the API for people, in Markdown: docs/lua-api.md.
func Page(r *luabind.Reference) string {
	p := &page{ref: r, shown: map[string]bool{}}
	p.line("# The Lua API\n")
	p.line("<!-- Made by go test ./luabind/stub -update of what the program itself knows: do not edit. -->\n")
	p.line(intro)
	for _, s := range sections {
		p.section(s)
	}
	p.modules()
	p.rest()
	p.lua()
	return p.String()
}

type page struct {
	strings.Builder
	ref   *luabind.Reference
	shown map[string]bool // globals, and classes with a colon before
}

func (p *page) line(format string, args ...any) {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	p.WriteString(format + "\n")
}

// section is one theme. One of which no name is there yet is left out.
func (p *page) section(s section) {
	names, classes := p.names(s.globals), p.classes(s.classes)
	methods := p.methods(s.methods)
	if len(names)+len(classes)+len(methods) == 0 {
		return
	}
	p.line("## %s\n", s.title)
	p.line(strings.TrimSpace(s.text) + "\n")
	p.functions(append(names, methods...))
	if s.example != "" {
		p.line("```lua\n%s\n```\n", strings.TrimSpace(s.example))
	}
	for _, c := range classes {
		p.class(c)
	}
}

// names are the globals of a section that are there; one that ends in a point stands
// for all of its table.
func (p *page) names(want []string) (names []luabind.Name) {
	for _, w := range want {
		for _, n := range p.ref.Globals {
			if n.Lua || p.shown[n.Name] {
				continue
			}
			if n.Name == w || strings.HasSuffix(w, ".") && strings.HasPrefix(n.Name, w) {
				p.shown[n.Name] = true
				names = append(names, n)
			}
		}
	}
	return names
}

func (p *page) classes(want []string) (classes []luabind.Class) {
	for _, w := range want {
		if c, ok := p.ref.Class(w); ok && !p.shown[":"+w] {
			p.shown[":"+w] = true
			classes = append(classes, c)
		}
	}
	return classes
}

// methods are methods of a packet that a section shows before the packet's own.
func (p *page) methods(want []string) (names []luabind.Name) {
	c, _ := p.ref.Class("packet")
	for _, m := range c.Methods {
		if slices.Contains(want, m.Name) {
			m.Name = "p:" + m.Name
			p.shown[m.Name] = true
			names = append(names, m)
		}
	}
	return names
}

// functions is a table of names, a line for each way to call one.
func (p *page) functions(names []luabind.Name) {
	if len(names) == 0 {
		return
	}
	p.line("| | |\n|---|---|")
	for _, n := range names {
		if n.Forms == nil {
			p.line("| `%s` %s | %s |", n.Name, cell(n.Type), cell(n.Doc))
			continue
		}
		var calls []string
		for _, f := range n.Forms {
			calls = append(calls, "`"+cell(n.Name+call(f))+"`")
		}
		p.line("| %s | %s |", strings.Join(calls, "<br>"), cell(n.Doc))
	}
	p.line("")
}

// call is a form as one writes it, with what comes back.
func call(f luabind.Form) string {
	var b strings.Builder
	b.WriteByte('(')
	for i, param := range f.Params {
		if param.Optional {
			b.WriteByte('[')
		}
		if i > 0 {
			b.WriteString(", ")
		}
		if strings.HasPrefix(param.Type, `"`) { // one of these words
			b.WriteString(param.Type)
		} else {
			b.WriteString(param.Name)
		}
		if param.Optional {
			b.WriteByte(']')
		}
	}
	b.WriteByte(')')
	for i, r := range f.Returns {
		b.WriteString([]string{" -> ", ", "}[min(i, 1)])
		switch {
		case r.Name == "...":
			b.WriteString("...")
		case r.Name != "":
			b.WriteString(r.Name)
		default:
			b.WriteString(r.Type)
		}
		if r.Optional {
			b.WriteString(" or nil")
		}
	}
	return b.String()
}

// class is the fields and methods of one kind of value.
func (p *page) class(c luabind.Class) {
	p.line("### %s\n", c.Name)
	doc := strings.ToUpper(c.Doc[:1]) + c.Doc[1:]
	p.line("%s.\n", doc)
	if len(c.Fields) > 0 {
		p.line("| field | type | |\n|---|---|---|")
		for _, f := range c.Fields {
			p.line("| `%s` | %s | %s |", f.Name, cell(fieldType(f)), cell(readOnly(c, f)))
		}
		p.line("")
	}
	var methods []luabind.Name
	for _, m := range c.Methods {
		if c.Name == "packet" && p.shown["p:"+m.Name] {
			continue
		}
		m.Name = receiver(c) + ":" + m.Name
		methods = append(methods, m)
	}
	p.functions(methods)
}

// receiver is how an example names a value of the class.
func receiver(c luabind.Class) string {
	switch {
	case c.Name == "packet":
		return "p"
	case c.Kind == luabind.Layer:
		return "p." + c.Name
	}
	return c.Name
}

func fieldType(f luabind.Field) string {
	typ := strings.TrimSuffix(f.Type, "?")
	if f.Most > 0 {
		typ = strings.Replace(typ, "integer", fmt.Sprintf("0 to %d", f.Most), 1)
	}
	return strings.ReplaceAll(typ, "|", " or ")
}

func readOnly(c luabind.Class, f luabind.Field) string {
	if c.Kind == luabind.Layer && !f.Writable && strings.TrimSuffix(f.Type, "?") != f.Name {
		return f.Doc + " (read only)"
	}
	return f.Doc
}

// cell is text in a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// modules are what require finds without a file.
func (p *page) modules() {
	if len(p.ref.Modules) == 0 {
		return
	}
	p.line("## Modules\n")
	p.line("`require \"name\"` is the file `name.lua` beside the script, or one of these.\n")
	for _, m := range p.ref.Modules {
		p.line("### %s\n\n%s.\n", m.Name, strings.ToUpper(m.Doc[:1])+m.Doc[1:])
		var names []luabind.Name
		for _, n := range m.Names {
			n.Name = m.Name + "." + n.Name
			names = append(names, n)
		}
		if m.Call.Forms != nil {
			m.Call.Name = m.Name
			names = append(names, m.Call)
		}
		p.functions(names)
		for _, c := range p.ref.Classes {
			if strings.HasPrefix(c.Name, m.Name+".") && !p.shown[":"+c.Name] {
				p.shown[":"+c.Name] = true
				p.class(c)
			}
		}
	}
}

// ofLayer says whether a class says of a layer again what its own class says: the
// tables that set it, and those that it is compared with.
func ofLayer(class string) bool {
	return strings.HasSuffix(class, ".fields") || strings.HasSuffix(class, ".pattern")
}

// rest is what no section names: it is never left out.
func (p *page) rest() {
	var names []luabind.Name
	for _, n := range p.ref.Globals {
		if !n.Lua && !p.shown[n.Name] {
			names = append(names, n)
		}
	}
	var classes []luabind.Class
	for _, c := range p.ref.Classes {
		if !p.shown[":"+c.Name] && !ofLayer(c.Name) {
			classes = append(classes, c)
		}
	}
	if len(names)+len(classes) == 0 {
		return
	}
	p.line("## More\n")
	p.functions(names)
	for _, c := range classes {
		p.class(c)
	}
}

// lua is Lua's own library, in short.
func (p *page) lua() {
	p.line("## Lua's own library\n")
	p.line("Lua 5.1; [lua.md](lua.md) says what is different. A script that is `trusted` has those in the last line, too.\n")
	groups := map[string][]string{}
	order := []string{""}
	var trusted []string
	for _, n := range p.ref.Globals {
		if !n.Lua {
			continue
		}
		if n.Trusted {
			trusted = append(trusted, "`"+n.Name+"`")
			continue
		}
		table, name, ok := strings.Cut(n.Name, ".")
		if !ok {
			table, name = "", n.Name
		}
		if groups[table] == nil && table != "" {
			order = append(order, table)
		}
		groups[table] = append(groups[table], "`"+name+"`")
	}
	for _, table := range order {
		title := "by themselves"
		if table != "" {
			title = "`" + table + "`"
		}
		p.line("- %s: %s", title, strings.Join(groups[table], ", "))
	}
	p.line("- trusted: %s", strings.Join(trusted, ", "))
}
