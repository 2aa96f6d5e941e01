package luabind

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// layer is tcp = {...}, tcp = true or tcp = false. path is "tcp" or "tcp.options".
func (r *patternReader) layer(k *kind, path string, v lua.LValue) error {
	switch v := v.(type) {
	case lua.LBool:
		r.presence(k, path, bool(v))
		return nil
	case *lua.LTable:
		r.presence(k, path, true)
		for _, key := range sortedKeys(v) {
			if err := r.layerEntry(k, path, key, v.RawGet(key)); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%s: want a table of fields, true or false, got %s", path, describe(v))
}

// presence asks whether the layer is there, which no byte says.
func (r *patternReader) presence(k *kind, path string, there bool) {
	t := term{name: path, holds: func(p *packet.Packet) bool { return k.has(p) == there }}
	t.want, t.got = "to be there", func(*packet.Packet) string { return "is not there" }
	if !there {
		t.want, t.got = "not to be there", func(*packet.Packet) string { return "is there" }
	}
	r.asked(t)
}

func (r *patternReader) layerEntry(k *kind, path string, key, v lua.LValue) error {
	name, _ := key.(lua.LString)
	m := k.members.get(string(name))
	at := path + "." + string(name)
	switch {
	case name == "has" && k.methods["has"] != nil:
		return r.flags(at, v)
	case m.layer != nil:
		return r.layer(m.layer, at, v)
	case m.field != nil:
		return r.field(k, at, string(name), m.field, v)
	}
	return unknownIn(path, key, func(yield func(string) bool) {
		for name := range k.members.names() {
			if m := k.members.get(name); (m.field != nil || m.layer != nil || name == "has") && !yield(name) {
				return
			}
		}
	})
}

// flags is tcp = { has = "P" }: these flags are set, whatever else is.
func (r *patternReader) flags(name string, v lua.LValue) error {
	f, err := flagsOf(v)
	if err != nil {
		return about(name, err)
	}
	get := func(p *packet.Packet) packet.Flags { tcp, _ := p.TCP(); return tcp.Flags() }
	t := term{name: "tcp.flags", want: fmt.Sprintf("%q among them", f.String()),
		holds: func(p *packet.Packet) bool { _, ok := p.TCP(); return ok && get(p).Has(f) },
		got:   func(p *packet.Packet) string { return fmt.Sprintf("is %q", get(p).String()) }}
	r.native(t, hasFlags(f))
	return nil
}

// field is dport = 80, src = function(a) ... end, dst = cidr("192.0.2.0/24").
func (r *patternReader) field(k *kind, path, name string, f *field, v lua.LValue) error {
	value := func(p *packet.Packet) (lua.LValue, bool) {
		if !k.has(p) {
			return lua.LNil, false
		}
		return f.get(r.in, p), true
	}
	if fn, ok := v.(*lua.LFunction); ok {
		r.function(path, fn, value)
		return nil
	}
	if f.get == nil {
		return fmt.Errorf("%s: a pattern cannot ask for it", path)
	}
	t := term{name: path, got: func(p *packet.Packet) string {
		v, ok := value(p)
		switch {
		case !ok:
			return "is not there, as the packet has no " + k.name
		case v == lua.LNil:
			return "is not there"
		}
		return "is " + plainText(v)
	}}
	if ud, ok := v.(*lua.LUserData); ok {
		return r.contained(t, path, value, ud)
	}
	want, err := r.in.wanted(f, v)
	if err != nil {
		return about(path, err)
	}
	if there, ok := want.(lua.LBool); ok && !strings.Contains(f.typ, "boolean") {
		t.want = map[bool]string{true: "any", false: "none"}[bool(there)]
		t.holds = func(p *packet.Packet) bool { v, ok := value(p); return ok && (v != lua.LNil) == bool(there) }
		r.asked(t)
		return nil
	}
	t.want = plainText(want)
	t.holds = func(p *packet.Packet) bool { v, ok := value(p); return ok && v == want }
	if native := nativeField(k.name, name, want); native != nil {
		r.native(t, native)
	} else {
		r.asked(t)
	}
	return nil
}

// plainText is a value as a message shows it.
func plainText(v lua.LValue) string {
	if s, ok := v.(lua.LString); ok {
		return quote(string(s))
	}
	return v.String()
}

// A network is the value of a userdata that contains addresses, as what cidr makes.
type network interface{ Contains(netip.Addr) bool }

// contained is an object in a field's place: the value must be in it.
func (r *patternReader) contained(t term, path string, value func(*packet.Packet) (lua.LValue, bool), ud *lua.LUserData) error {
	n, ok := ud.Value.(network)
	if !ok {
		return fmt.Errorf("%s: want a value, a function or a cidr, got %s", path, describe(ud))
	}
	t.want = fmt.Sprintf("to be in %v", n)
	t.holds = func(p *packet.Packet) bool {
		v, ok := value(p)
		a, err := r.in.parseAddr(v)
		return ok && err == nil && n.Contains(a)
	}
	if prefix, ok := n.(netip.Prefix); ok {
		if native := nativeNetwork(path, prefix); native != nil {
			r.native(t, native)
			return nil
		}
	}
	r.asked(t)
	return nil
}

// wanted is v as the field f reads, so that what is equal compares equal: flags in
// their order, addresses in their canonical form, 32 bits modulo 2^32.
func (in *instance) wanted(f *field, v lua.LValue) (lua.LValue, error) {
	if b, ok := v.(lua.LBool); ok {
		return b, nil
	}
	switch {
	case f.most > 0:
		n, err := whole(v, f.most)
		return lua.LNumber(n), err
	case f.typ == "address":
		a, err := in.parseAddr(v)
		return lua.LString(a.String()), err
	case f.typ == "mac":
		s, ok := v.(lua.LString)
		if !ok {
			return nil, fmt.Errorf("want an Ethernet address such as \"02:00:00:00:00:01\", got %s", describe(v))
		}
		m, err := packet.ParseMAC(string(s))
		return lua.LString(m.String()), err
	case f.typ == "flags":
		fl, err := flagsOf(v)
		return lua.LString(fl.String()), err
	case f.typ == "boolean":
		return nil, fmt.Errorf("want true or false, got %s", describe(v))
	}
	switch v := v.(type) {
	case lua.LNumber:
		if !strings.Contains(f.typ, "integer") && f.typ != "number" {
			break
		}
		return v, nil
	case lua.LString:
		if f.typ == "integer" || f.typ == "number" || strings.Contains(f.typ, "[]") {
			break
		}
		return v, nil
	case *lua.LTable:
		return nil, errors.New("a table cannot be compared: ask with a function")
	}
	return nil, fmt.Errorf("want %s, got %s", f.typ, describe(v))
}
