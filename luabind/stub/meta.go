package stub

import (
	"fmt"
	"strings"

	"github.com/tunscript/tunscript/luabind"
)

// Meta is the API for the Lua language server: a file that no one runs, in which every
// name stands with its types and meaning.
func Meta(r *luabind.Reference) string {
	m := &metaWriter{}
	m.line("---@meta tunscript")
	m.line("-- The Lua API of tunscript, for editors. Written by tunscript stubs.")
	for _, a := range r.Aliases {
		m.line("")
		m.line("---%s", a.Doc)
		m.line("---@alias %s %s", a.Name, a.Type)
	}
	for _, c := range r.Classes {
		m.class(c)
	}
	names, tables, order := own(r)
	for _, n := range names {
		m.name("", n)
	}
	for _, table := range order {
		m.line("")
		if !isLua(r, table) {
			m.line("%s = {}", table)
		}
		for _, n := range tables[table] {
			m.name(table+".", n)
		}
	}
	return m.String()
}

// ModuleMeta is a module that ships for the Lua language server, which takes it for the
// module's source: a file NAME.lua in the same folder.
func ModuleMeta(mod luabind.ShippedModule) string {
	m := &metaWriter{}
	m.line("---@meta %s", mod.Name)
	m.line("-- A module of tunscript, for editors. Written by tunscript stubs.")
	m.line("")
	m.line("---%s", mod.Doc)
	if mod.Call.Forms != nil {
		m.line("---@class %s.module", mod.Name)
		for _, f := range mod.Call.Forms {
			m.line("---@overload fun%s", signature(f, ""))
		}
	}
	m.line("local %s = {}", mod.Name)
	for _, n := range mod.Names {
		m.name(mod.Name+".", n)
	}
	m.line("")
	m.line("return %s", mod.Name)
	return m.String()
}

type metaWriter struct{ strings.Builder }

func (m *metaWriter) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

// class is a class, its fields, and its methods as functions of a local.
func (m *metaWriter) class(c luabind.Class) {
	m.line("")
	m.line("---%s", c.Doc)
	m.line("---@class %s", c.Name)
	for _, f := range c.Fields {
		optional := ""
		if c.Kind == luabind.Table {
			optional = "?"
		}
		m.line("---@field %s%s %s # %s", f.Name, optional, f.Type, fieldDoc(f))
	}
	if c.Open {
		m.line("---@field [any] any # what the script keeps in it")
	}
	switch c.Name {
	case "packet":
		m.line("---@operator div(packet|string): packet")
	case "tcp.options":
		m.line("---@field [integer] string? # an option by its kind, as bytes")
	case "tcp.options.fields":
		m.line("---@field [integer] string # an option by its kind, as bytes")
	case "on.options", "packet.pattern", "impair.options":
		m.line("---@field [1] filter? # which packets")
	}
	if len(c.Methods) == 0 {
		return
	}
	local := strings.ReplaceAll(c.Name, ".", "_")
	m.line("local %s_class = {}", local)
	for _, n := range c.Methods {
		m.function(local+"_class:", n, "self: "+c.Name)
	}
}

// fieldDoc is what a field means, with its range.
func fieldDoc(f luabind.Field) string {
	doc := f.Doc
	if f.Most > 0 {
		doc += fmt.Sprintf(" (0 to %d)", f.Most)
	}
	if !f.Writable {
		doc += "; read only"
	}
	return doc
}

func (m *metaWriter) name(prefix string, n luabind.Name) {
	if n.Forms != nil {
		m.function(prefix, n, "")
		return
	}
	m.line("")
	m.line("---%s", n.Doc)
	m.line("---@type %s", n.Type)
	m.line("%s%s = nil", prefix, n.Name)
}

// function is a function that does nothing; other ways to call it are overloads.
func (m *metaWriter) function(prefix string, n luabind.Name, self string) {
	m.line("")
	m.line("---%s", n.Doc)
	var params []string
	for _, p := range n.Forms[0].Params {
		optional := ""
		if p.Optional {
			optional = "?"
		}
		m.line("---@param %s%s %s", p.Name, optional, p.Type)
		params = append(params, p.Name)
	}
	for _, p := range n.Forms[0].Returns {
		m.line("---@return %s", result(p))
	}
	for _, f := range n.Forms[1:] {
		m.line("---@overload fun%s", signature(f, self))
	}
	m.line("function %s%s(%s) end", prefix, n.Name, strings.Join(params, ", "))
}

// result is one result as ---@return has it: the type, then the name.
func result(p luabind.Param) string {
	typ := p.Type
	if p.Optional {
		typ += "?"
	}
	switch p.Name {
	case "":
		return typ
	case "...":
		return typ + " ..."
	}
	return typ + " " + p.Name
}

// signature is a form as LuaLS's function type; self comes first if there is one.
func signature(f luabind.Form, self string) string {
	var params, returns []string
	if self != "" {
		params = append(params, self)
	}
	for _, p := range f.Params {
		optional := ""
		if p.Optional {
			optional = "?"
		}
		params = append(params, p.Name+optional+": "+p.Type)
	}
	for _, p := range f.Returns {
		typ := p.Type
		if p.Optional {
			typ += "?"
		}
		if p.Name == "..." {
			typ = "...: " + typ
		}
		returns = append(returns, typ)
	}
	sig := "(" + strings.Join(params, ", ") + ")"
	if len(returns) > 0 {
		sig += ": " + strings.Join(returns, ", ")
	}
	return sig
}
