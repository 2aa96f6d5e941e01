// Package stub writes the Lua API down for others to read: for editors as the
// ---@meta file of the Lua language server (meta.go), for luacheck as a table of
// globals (luacheck.go), and for people as docs/lua-api.md (page.go, with the prose
// and examples in sections.go).
//
// All of it is made of [luabind.APIReference]; nothing about a name stands here. The
// page is checked in, and a test says when it is out of date:
//
//	go test ./luabind/stub -update
package stub

import (
	"strings"

	"github.com/tunscript/tunscript/luabind"
)

// own are tunscript's names among the globals: those by themselves, and by table.
func own(r *luabind.Reference) (names []luabind.Name, tables map[string][]luabind.Name, order []string) {
	tables = map[string][]luabind.Name{}
	for _, n := range r.Globals {
		if n.Lua {
			continue
		}
		table, name, ok := strings.Cut(n.Name, ".")
		if !ok {
			names = append(names, n)
			continue
		}
		if tables[table] == nil {
			order = append(order, table)
		}
		n.Name = name
		tables[table] = append(tables[table], n)
	}
	return names, tables, order
}

// isLua says whether table is one of Lua's own, such as string.
func isLua(r *luabind.Reference, table string) bool {
	for _, n := range r.Globals {
		if n.Lua && strings.HasPrefix(n.Name, table+".") {
			return true
		}
	}
	return false
}
