package luabind

// patternClasses are the tables that recv and its like take, made of those that
// describe packets and layers.
func patternClasses(layers []Class) (all []Class) {
	for _, c := range layers {
		t := Class{Name: c.Name + ".pattern", Kind: Table, Doc: "what the fields of " + c.Name + " are to be"}
		for _, f := range c.Fields {
			switch {
			case f.Type == "flow?":
				f.Type, f.Doc = "flow", "packets of this flow, in both directions"
			case c.Name == "packet" && f.Type == f.Name+"?": // a layer
				f.Type = f.Name + ".pattern|boolean"
			case f.Type == "tcp.options":
				f.Type = "tcp.options.pattern|boolean"
			case c.Name == "packet" && f.Name == "payload":
				f.Type, f.Doc = "string|function", "a Lua pattern that it matches, or a function that is asked"
			case f.Type == "address":
				f.Type += "|network|boolean|function"
			default:
				f.Type += "|boolean|function"
			}
			f.Writable = true
			t.Fields = append(t.Fields, f)
		}
		switch c.Name {
		case "packet":
			t.Doc += "; a filter may stand first, without a name"
			t.Fields = append(t.Fields,
				Field{Name: "payload_is", Type: "string", Doc: "the payload, byte by byte", Writable: true},
				Field{Name: "peek", Type: "boolean", Doc: "look without taking: the packet goes on, and a copy comes", Writable: true})
		case "tcp":
			t.Fields = append(t.Fields, Field{Name: "has", Type: "flags", Doc: "flags that are set, whatever others are", Writable: true})
		}
		sortFields(t.Fields)
		all = append(all, t)
	}
	return all
}
