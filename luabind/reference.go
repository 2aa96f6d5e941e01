package luabind

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// A Reference is everything that a script can say, as plain data: what the lint, the
// editor's stubs and the API page are made of. Names are sorted.
type Reference struct {
	Globals []Name
	Modules []ShippedModule
	Classes []Class
	Aliases []Alias
}

// A ShippedModule is one that ships with tunscript, for require.
type ShippedModule struct {
	Name  string
	Doc   string
	Names []Name // what is in it, without the module's name
	Call  Name   // calling the module itself; the zero Name where that means nothing
}

// A Name is a global, or a method of a class.
type Name struct {
	Name string // "send", "log.info"; of a method "reply"
	Type string // of LuaLS: a value's type, or a function's without the word fun
	Doc  string // one line
	// Forms are the ways to call it; nil of a value.
	Forms   []Form
	Lua     bool // Lua's own, not tunscript's
	Trusted bool // only in a trusted script
}

// A Class is a type of value with names of its own.
type Class struct {
	Name    string // "packet", "tcp", "tcp.options", "handle", "on.options"
	Doc     string
	Kind    ClassKind
	Open    bool // the script keeps names of its own in it
	Fields  []Field
	Methods []Name
}

// A ClassKind says what the values of a class are.
type ClassKind uint8

const (
	Object ClassKind = iota // a handle and the like
	Layer                   // a packet or one of its layers: what it has not is an error
	Table                   // the table that a function takes: what it has not is an error
)

// A Field is a name of a class that is not called.
type Field struct {
	Name     string
	Type     string // of LuaLS, with "?" where it may be nil
	Doc      string
	Writable bool
	// Most is the largest whole number that it takes, from 0; with 0 it has no range.
	// 32 bits are taken modulo 2^32, so every whole number is in their range.
	Most uint64
}

// An Alias is a name for a type.
type Alias struct {
	Name string
	Type string
	Doc  string
}

// Class is the class of that name.
func (r *Reference) Class(name string) (Class, bool) {
	at := slices.IndexFunc(r.Classes, func(c Class) bool { return c.Name == name })
	if at < 0 {
		return Class{}, false
	}
	return r.Classes[at], true
}

// APIReference makes the reference of this version.
func APIReference() *Reference {
	r := &Reference{Aliases: aliases()}
	for _, g := range globals() {
		r.Globals = append(r.Globals, nameOf(g.name, g.sig, g.doc))
	}
	r.Globals = append(r.Globals, luaNames()...)
	for _, m := range modules() {
		mod := ShippedModule{Name: m.name, Doc: m.doc}
		if m.call.name != "" {
			mod.Call = nameOf(m.call.name, m.call.sig, m.call.doc)
		}
		for _, g := range m.names {
			mod.Names = append(mod.Names, nameOf(g.name, g.sig, g.doc))
		}
		r.Modules = append(r.Modules, mod)
	}
	r.Classes = append(r.Classes, layerClass(packetLayer(), "packet"), layerClass(optionsLayer(), "tcp.options"))
	for _, l := range headerLayers() {
		r.Classes = append(r.Classes, layerClass(l, l.name))
	}
	layers := r.Classes
	for _, c := range layers {
		r.Classes = append(r.Classes, fieldsClass(c))
	}
	r.Classes = append(r.Classes, patternClasses(layers)...)
	for _, c := range classes() {
		r.Classes = append(r.Classes, Class{Name: c.name, Doc: c.doc, Open: c.open, Fields: classFields(c),
			Methods: namesOf(c.methods, func(m classMethod) (string, string) { return m.sig, m.doc })})
	}
	r.Classes = append(r.Classes,
		Class{Name: "on.options", Kind: Table, Doc: "what on takes as a table; the filter stands first, without a name",
			Fields: fieldsOf(onOptions, func(o onOption) (string, string) { return o.typ, o.doc })},
		Class{Name: "device", Doc: "a device, as devices.tun0", Fields: fieldsOf(deviceFields, func(f deviceField) (string, string) { return f.typ, f.doc })},
		Class{Name: "flow.rewrite", Kind: Table, Doc: "what flow:rewrite takes, in the direction of the packet", Fields: rewriteFields()},
		Class{Name: "test.load", Kind: Table, Doc: "what t:load takes as a table", Fields: keyFields(testLoads)},
		Class{Name: "option.spec", Kind: Table, Doc: "what option takes as a table", Fields: keyFields(optionSpecs)},
	)
	r.Classes = append(r.Classes, impairClasses()...)
	r.Classes = append(r.Classes, tcpClasses()...)
	slices.SortFunc(r.Globals, func(a, b Name) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(r.Classes, func(a, b Class) int { return cmp.Compare(a.Name, b.Name) })
	return r
}

func classFields(c class) (fields []Field) {
	for name, f := range c.fields {
		fields = append(fields, Field{Name: name, Type: f.typ, Doc: f.doc})
	}
	sortFields(fields)
	return fields
}

func rewriteFields() (fields []Field) {
	for name, o := range rewriteOptions {
		fields = append(fields, Field{Name: name, Type: o.typ, Doc: o.doc, Writable: true})
	}
	sortFields(fields)
	return fields
}

// aliases are the types that signatures name and that are no classes.
func aliases() []Alias {
	return []Alias{
		{"dns.message", "table", "a message of DNS: id, flags, rcode, question, answer, authority, additional"},
		{"address", "string", `an IP address: "192.0.2.1" or "2001:db8::1"`},
		{"device.name", "string", `the name of a device: "tun0"`},
		{"filter", "string", `a filter of pcap-filter(7): "tcp dst port 80"`},
		{"flags", "string", `letters of FSRPAUEC, one for each TCP flag: "SA"`},
		{"handler", "fun(p: packet): verdict?, string?", "what on calls for a packet"},
		{"mac", "string", `an Ethernet address: "02:00:00:00:00:01"`},
		{"pattern", "filter|packet.pattern|fun(p: packet): boolean", "which packets a task waits for"},
		{"verdict", `"` + strings.Join(slices.Sorted(maps.Keys(verdictWords)), `"|"`) + `"|packet|packet[]|false`, "what becomes of a packet: go on, forward now, end it, or these leave instead"},
	}
}

func nameOf(name, sig, doc string) Name {
	n := Name{Name: name, Type: sig, Doc: doc}
	if isFunction(sig) {
		n.Forms, _ = parseSignature(sig) // a test reads all of them
	}
	return n
}

func namesOf[M any](methods map[string]M, of func(M) (sig, doc string)) (names []Name) {
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		sig, doc := of(methods[name])
		names = append(names, nameOf(name, sig, doc))
	}
	return names
}

func fieldsOf[F any](all map[string]F, of func(F) (typ, doc string)) (fields []Field) {
	for name, f := range all {
		typ, doc := of(f)
		fields = append(fields, Field{Name: name, Type: typ, Doc: doc, Writable: true})
	}
	sortFields(fields)
	return fields
}

func sortFields(fields []Field) {
	slices.SortFunc(fields, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
}

// layerClass is a layer as it is read and written on a packet.
func layerClass(l *layer, name string) Class {
	c := Class{Name: name, Doc: l.doc, Kind: Layer,
		Methods: namesOf(l.methods, func(m *method) (string, string) { return m.sig, m.doc })}
	for fname, f := range l.fields {
		c.Fields = append(c.Fields, Field{Name: fname, Type: f.typ, Doc: f.doc, Writable: f.set != nil, Most: f.most})
	}
	if name == "packet" {
		for _, sub := range headerLayers() {
			c.Fields = append(c.Fields, Field{Name: sub.name, Type: sub.name + "?", Doc: sub.doc})
		}
	}
	sortFields(c.Fields)
	return c
}

// fieldsClass is the table that sets fields of a layer: what a builder takes, and for
// packet what p:reply{...} and packet{...} take.
func fieldsClass(c Class) Class {
	t := Class{Name: c.Name + ".fields", Kind: Table, Doc: "fields of " + c.Name + " to set"}
	for _, f := range c.Fields {
		switch {
		case c.Name == "packet" && f.Type == f.Name+"?" && f.Type != flowField().typ: // a layer
			f.Type = f.Name + ".fields"
		case f.Type == "tcp.options":
			f.Type = "tcp.options.fields|string"
		case !f.Writable:
			continue
		}
		f.Writable = true
		t.Fields = append(t.Fields, f)
	}
	return t
}
