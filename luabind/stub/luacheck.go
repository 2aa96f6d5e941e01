package stub

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tunscript/tunscript/luabind"
)

// Luacheck is a .luacheckrc that knows the globals of a script, tunscript's and Lua's
// as far as a script has them that is not trusted.
func Luacheck(r *luabind.Reference) string {
	fields := map[string][]string{}
	var tables, names []string
	for _, n := range r.Globals {
		if n.Trusted {
			continue
		}
		table, name, ok := strings.Cut(n.Name, ".")
		if !ok {
			names = append(names, n.Name)
			continue
		}
		if fields[table] == nil {
			tables = append(tables, table)
		}
		fields[table] = append(fields[table], name)
	}
	slices.Sort(tables)
	var b strings.Builder
	b.WriteString("-- What scripts of tunscript know, for luacheck. Written by tunscript stubs --luacheck.\n" +
		"-- A trusted script has more: for it write std = \"lua51+tunscript\".\n" +
		"stds.tunscript = {\n  read_globals = {\n")
	for _, name := range names {
		if open(r, name) {
			fmt.Fprintf(&b, "    %s = { other_fields = true },\n", name)
		} else {
			fmt.Fprintf(&b, "    %q,\n", name)
		}
	}
	for _, table := range tables {
		fmt.Fprintf(&b, "    %s = { fields = {\n", table)
		for _, name := range fields[table] {
			fmt.Fprintf(&b, "      %q,\n", name)
		}
		b.WriteString("    } },\n")
	}
	b.WriteString("  },\n}\nstd = \"tunscript\"\nmax_line_length = false\nunused_args = false\nexclude_files = { \".tunscript\" }\n")
	return b.String()
}

// open says whether a global is a table with names of the user's, as devices is.
func open(r *luabind.Reference, name string) bool {
	at := slices.IndexFunc(r.Globals, func(n luabind.Name) bool { return n.Name == name })
	return at >= 0 && (strings.HasPrefix(r.Globals[at].Type, "table") || name == "_G")
}
