package luabind

// tcpModule describes the module tcp, which is lib/tcp.lua and what that requires.
func tcpModule() module {
	return module{name: "tcp", doc: "connections: TCP in Lua, to be used and to be bent",
		call: global{name: "tcp", sig: "(fields: tcp.fields): packet", doc: "the builder: a script that calls the module tcp can still build"},
		names: []global{
			{name: "listen", sig: "(port: integer, fn: fun(conn: tcp.conn), on_segment?: fun(conn: tcp.conn, p: packet, way: \"in\"|\"out\"): boolean?): handle", doc: "runs fn as a task for each connection to the port, whatever the address; on_segment is each connection's"},
			{name: "connect", sig: "(to: tcp.connect): tcp.conn?, string?", doc: "the task waits until the connection stands; nil and why where it does not"},
		}}
}

// tcpClasses are what tcp.lua gives and takes.
func tcpClasses() []Class {
	return []Class{
		{Name: "tcp.conn", Doc: "a connection; src and sport are this end", Open: true,
			Fields: []Field{
				{Name: "dport", Type: "integer", Doc: "the other end's port"}, {Name: "dst", Type: "address", Doc: "the other end"},
				{Name: "on_segment", Type: `fun(conn: tcp.conn, p: packet, way: "in"|"out"): boolean?`, Doc: "sees each segment first and may change it; what it returns false for is lost", Writable: true},
				{Name: "sport", Type: "integer", Doc: "this end's port"}, {Name: "src", Type: "address", Doc: "this end"},
				{Name: "state", Type: "string", Doc: "its state, in the words of RFC 9293"},
			},
			Methods: []Name{
				nameOf("abort", "()", "ends it at once, with a reset"),
				nameOf("close", "()", "sends what was written, and then ends this direction"),
				nameOf("read", `(what?: integer|"*l"|"*a"): string?, string?`, "waits for so many bytes, a line, or all; at the end what is left, then nil"),
				nameOf("write", "(s: string): boolean?, string?", "sends; waits while too much is not sent yet; nil and why when it cannot"),
			}},
		{Name: "tcp.connect", Kind: Table, Doc: "what tcp.connect takes", Fields: []Field{
			{Name: "device", Type: "device.name", Doc: "the way out; the script's only device", Writable: true},
			{Name: "dport", Type: "integer", Doc: "port to connect to", Writable: true},
			{Name: "dst", Type: "address", Doc: "address to connect to", Writable: true},
			{Name: "on_segment", Type: `fun(conn: tcp.conn, p: packet, way: "in"|"out"): boolean?`, Doc: "the connection's, from the first SYN on", Writable: true},
			{Name: "sport", Type: "integer", Doc: "port of this end; drawn if not given", Writable: true},
			{Name: "src", Type: "address", Doc: "address of this end; the device's peer", Writable: true},
			{Name: "timeout", Type: "number", Doc: "seconds to wait; 30", Writable: true},
		}},
	}
}
