package luabind

// FieldNames are the fields of all layers, as "tcp.dport", and whether they can be
// set: what the tests must cover.
func FieldNames() map[string]bool {
	names := map[string]bool{}
	for _, l := range append(headerLayers(), packetLayer(), optionsLayer()) {
		for name, f := range l.fields {
			names[l.name+"."+name] = f.set != nil
		}
	}
	return names
}

// An Entry is one name of the API with what the registry says about it.
type Entry struct{ Name, Sig, Doc string }

// Registry is every name of the API.
func Registry() (all []Entry) {
	for _, g := range globals() {
		all = append(all, Entry{g.name, g.sig, g.doc})
	}
	for _, m := range modules() {
		for _, g := range m.names {
			all = append(all, Entry{m.name + "::" + g.name, g.sig, g.doc})
		}
		if g := m.call; g.fn != nil {
			all = append(all, Entry{m.name + "::" + g.name, g.sig, g.doc})
		}
	}
	for name, f := range deviceFields {
		all = append(all, Entry{"devices.NAME." + name, f.typ, f.doc})
	}
	for _, l := range append(headerLayers(), packetLayer(), optionsLayer()) {
		all = append(all, Entry{l.name, "layer", l.doc})
		for name, f := range l.fields {
			all = append(all, Entry{l.name + "." + name, f.typ, f.doc})
		}
		for name, m := range l.methods {
			all = append(all, Entry{l.name + ":" + name, m.sig, m.doc})
		}
	}
	for _, c := range classes() {
		all = append(all, Entry{c.name, "layer", c.doc})
		for name, f := range c.fields {
			all = append(all, Entry{c.name + "." + name, f.typ, f.doc})
		}
		for name, m := range c.methods {
			all = append(all, Entry{c.name + ":" + name, m.sig, m.doc})
		}
	}
	for name, o := range onOptions {
		all = append(all, Entry{"on." + name, o.typ, o.doc})
	}
	for name, o := range impairOptions {
		all = append(all, Entry{"on.impair." + name, o.typ, o.doc})
	}
	return all
}
