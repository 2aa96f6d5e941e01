package luabind

import (
	"fmt"
	"maps"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// answerMethods make a new packet out of p.
func answerMethods() map[string]*method {
	return map[string]*method{
		"reply": {sig: "(fields?: packet.fields): packet", gives: true,
			doc: "the answer of its protocol: addresses and ports swapped, flags and numbers as due; then your fields",
			fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
				in.made(p.Len())
				a := p.Reply()
				if t, ok := L.Get(2).(*lua.LTable); ok {
					in.speakAs(a, t)
				}
				return in.answer(L, a, 2)
			}},
		"rst": {sig: "(fields?: packet.fields): packet", gives: true,
			doc: "the TCP reset that answers it (RFC 9293 section 3.10.7)",
			fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
				in.made(0)
				return in.answer(L, p.RST(), 2)
			}},
		"ttl_exceeded": {sig: "(fields?: packet.fields): packet", gives: true,
			doc: "the ICMP error that its time to live is used up",
			fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
				in.made(mostQuoted)
				return in.answer(L, p.TTLExceeded(), 2)
			}},
		"unreachable": {sig: `(what: "port"|"host"|"net"|"admin"|"fragmentation", fields?: packet.fields): packet | (what: "fragmentation", mtu: integer, fields?: packet.fields): packet`, gives: true,
			doc: "the ICMP error that it cannot be delivered",
			fn:  unreachable},
		"copy": {sig: "(fields?: packet.fields): packet", gives: true,
			doc: "another packet like it, with these changes, which the script may keep",
			fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
				in.made(p.Len())
				return in.answer(L, p.Clone(), 2)
			}},
	}
}

// speakAs sends the reply a to ARP or neighbor discovery from the address that its
// fields name: who answers says it twice, and it is the same.
func (in *instance) speakAs(a *packet.Packet, fields *lua.LTable) {
	for _, said := range []struct{ layer, field string }{{"arp", "sha"}, {"icmp6", "lladdr"}} {
		t, ok := fields.RawGetString(said.layer).(*lua.LTable)
		if !ok || !in.kindOf(said.layer).has(a) {
			continue
		}
		text, _ := t.RawGetString(said.field).(lua.LString)
		if m, err := packet.ParseMAC(string(text)); err == nil { // else setting the field says so
			eth, _ := a.Ethernet()
			eth.SetSrc(m)
		}
	}
}

var unreachableKinds = map[string]packet.UnreachableKind{
	"port": packet.UnreachablePort, "host": packet.UnreachableHost, "net": packet.UnreachableNet,
	"admin": packet.UnreachableAdmin, "fragmentation": packet.UnreachableFragmentation,
}

// mostQuoted is what an ICMP error takes along of the packet that it is about.
const mostQuoted = 1232

func unreachable(in *instance, L *lua.LState, p *packet.Packet) int {
	word, _ := L.Get(2).(lua.LString)
	what, ok := unreachableKinds[string(word)]
	if !ok {
		names := slices.Sorted(maps.Keys(unreachableKinds))
		return in.state.Raise(L, fmt.Errorf("unreachable: got %s, want one of %q%s", describe(L.Get(2)), names, didYouMean(string(word), unreachableKinds)))
	}
	in.made(mostQuoted)
	var mtu uint64
	fields := 3
	if n, ok := L.Get(3).(lua.LNumber); ok {
		var err error
		if mtu, err = whole(n, 65535); err != nil {
			return in.state.Raise(L, fmt.Errorf("unreachable: the MTU %w", err))
		}
		fields = 4
	}
	return in.answer(L, p.Unreachable(what, int(mtu)), fields)
}

// answer lays the fields of argument n over the answer a and gives it to Lua. An
// answer that may not be given is an empty packet: it has no field to set.
func (in *instance) answer(L *lua.LState, a *packet.Packet, n int) int {
	switch t := L.Get(n).(type) {
	case *lua.LNilType:
	case *lua.LTable:
		if a.Len() > 0 {
			if err := in.setLayers(a, t); err != nil {
				return in.state.Raise(L, err)
			}
		}
	default:
		return in.state.Raise(L, fmt.Errorf("want a table of fields such as {ip = {ttl = 3}}, got %s", describe(t)))
	}
	return in.pushAnswer(L, a)
}

// setLayers is what p:reply{ ip = {...}, tcp = {...}, payload = "..." } lays over
// the answer. The payload comes first, so that a length or checksum set by hand
// stands.
func (in *instance) setLayers(p *packet.Packet, t *lua.LTable) error {
	if v := t.RawGetString("payload"); v != lua.LNil {
		if err := in.setField(p, in.kinds.packet, lua.LString("payload"), v); err != nil {
			return err
		}
	}
	// As in assemble, from the inside out; Go's maps have no order of their own.
	for _, name := range slices.Backward(builders) {
		if v := t.RawGetString(name); v != lua.LNil {
			if err := in.setLayer(p, lua.LString(name), v); err != nil {
				return err
			}
		}
	}
	for _, key := range sortedKeys(t) {
		if name, ok := key.(lua.LString); ok && (name == "payload" || slices.Contains(builders, string(name))) {
			continue
		}
		if err := in.setField(p, in.kinds.packet, key, t.RawGet(key)); err != nil {
			return err
		}
	}
	return nil
}

func (in *instance) setLayer(p *packet.Packet, name lua.LString, v lua.LValue) error {
	k := in.kindOf(string(name))
	fields, ok := v.(*lua.LTable)
	if !ok {
		return fmt.Errorf("%s: want a table of fields, got %s", name, describe(v))
	}
	switch {
	case k.assign != nil:
		return k.assign(in, p, k, v)
	case !k.has(p):
		return fmt.Errorf("%s: the packet has none", name)
	}
	return in.setFields(p, k, fields)
}
