package luabind

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"golang.org/x/net/dns/dnsmessage"
)

// maxDNS is as long as a message over TCP can be.
const maxDNS = 65535

func (in *instance) dnsBuild(L *lua.LState) int {
	t, ok := L.Get(1).(*lua.LTable)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("dns.build: want a table, got %s", describe(L.Get(1))))
	}
	b := dnsBuilder{in: in, L: L}
	msg, err := b.message(t)
	if err == nil && len(msg) > maxDNS {
		err = fmt.Errorf("the message has %d bytes, and %d is the most", len(msg), maxDNS)
	}
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("dns.build: %w", err))
	}
	in.state.ChargeString(L, len(msg))
	return pushText(L, string(msg))
}

// A dnsBuilder makes one message.
type dnsBuilder struct {
	in *instance
	L  *lua.LState
	b  dnsmessage.Builder
}

func (b *dnsBuilder) message(t *lua.LTable) ([]byte, error) {
	if err := known(t, dnsNames()); err != nil {
		return nil, err
	}
	var h dnsmessage.Header
	id, err := number16(t, "id")
	if err != nil {
		return nil, err
	}
	h.ID = id
	op, err := whole(orZero(t.RawGetString("opcode")), 15)
	if err != nil {
		return nil, about("opcode", err)
	}
	h.OpCode = dnsmessage.OpCode(op)
	rcode, err := dnsRcodes.read(orZero(t.RawGetString("rcode")))
	if err != nil {
		return nil, about("rcode", err)
	}
	h.RCode = dnsmessage.RCode(rcode)
	for _, f := range dnsFlags {
		switch v := t.RawGetString(f.name).(type) {
		case lua.LBool:
			*f.get(&h) = bool(v)
		case *lua.LNilType:
		default:
			return nil, fmt.Errorf("%s: want true or false, got %s", f.name, describe(v))
		}
	}
	b.b = dnsmessage.NewBuilder(nil, h)
	b.b.EnableCompression()
	if err := b.b.StartQuestions(); err != nil {
		return nil, err
	}
	err = b.each(t, "question", []string{"name", "type", "class"}, func(q *lua.LTable) error {
		name, typ, class, err := b.head(q)
		if err != nil {
			return err
		}
		return b.b.Question(dnsmessage.Question{Name: name, Type: typ, Class: class})
	})
	if err != nil {
		return nil, err
	}
	for _, section := range dnsSections {
		if err := section.start(&b.b); err != nil {
			return nil, err
		}
		if err := b.each(t, section.name, []string{"name", "type", "class", "ttl", "data"}, b.record); err != nil {
			return nil, err
		}
	}
	return b.b.Finish()
}

// each calls fn for every table of a list. Its errors say where they are.
func (b *dnsBuilder) each(t *lua.LTable, name string, fields []string, fn func(*lua.LTable) error) error {
	v := t.RawGetString(name)
	if v == lua.LNil {
		return nil
	}
	list, ok := v.(*lua.LTable)
	if !ok {
		return fmt.Errorf("%s: want a list of tables, got %s", name, describe(v))
	}
	for i := 1; i <= list.Len(); i++ {
		b.in.state.Charge(b.L, 16)
		item, ok := list.RawGetInt(i).(*lua.LTable)
		if !ok {
			return fmt.Errorf("%s[%d]: want a table, got %s", name, i, describe(list.RawGetInt(i)))
		}
		err := known(item, fields)
		if err == nil {
			err = fn(item)
		}
		if err != nil {
			var de dnsError
			if errors.As(err, &de) {
				return fmt.Errorf("%s[%d].%s: %w", name, i, de.field, de.err)
			}
			return fmt.Errorf("%s[%d]: %w", name, i, err)
		}
	}
	return nil
}

// A dnsError is about one field of a question or record.
type dnsError struct {
	field string
	err   error
}

func (e dnsError) Error() string { return e.field + ": " + e.err.Error() }

// head is what a question and a record have in common.
func (b *dnsBuilder) head(t *lua.LTable) (name dnsmessage.Name, typ dnsmessage.Type, class dnsmessage.Class, err error) {
	if name, err = dnsName(t.RawGetString("name")); err != nil {
		return name, 0, 0, dnsError{"name", err}
	}
	n, err := dnsTypes.read(t.RawGetString("type"))
	if err != nil {
		return name, 0, 0, dnsError{"type", err}
	}
	c := uint16(dnsmessage.ClassINET)
	if v := t.RawGetString("class"); v != lua.LNil {
		if c, err = dnsClasses.read(v); err != nil {
			return name, 0, 0, dnsError{"class", err}
		}
	}
	return name, dnsmessage.Type(n), dnsmessage.Class(c), nil
}

// dnsName is a name from text; the dot at its end may be missing.
func dnsName(v lua.LValue) (dnsmessage.Name, error) {
	s, ok := v.(lua.LString)
	if !ok {
		return dnsmessage.Name{}, fmt.Errorf("want a name such as \"www.example.\", got %s", describe(v))
	}
	text := string(s)
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	name, err := dnsmessage.NewName(text)
	if err != nil {
		return name, fmt.Errorf("a name has at most 254 letters, this one has %d", len(text))
	}
	return name, nil
}

// record is one of the records.
func (b *dnsBuilder) record(t *lua.LTable) error {
	h := dnsmessage.ResourceHeader{}
	var err error
	if h.Name, h.Type, h.Class, err = b.head(t); err != nil {
		return err
	}
	ttl, err := whole(orZero(t.RawGetString("ttl")), 1<<32-1)
	if err != nil {
		return dnsError{"ttl", err}
	}
	h.TTL = uint32(ttl)
	if err := b.data(h, t.RawGetString("data")); err != nil {
		return dnsError{"data", err}
	}
	return nil
}

// known refuses a key that is none of names.
func known(t *lua.LTable, names []string) (err error) {
	t.ForEach(func(k, _ lua.LValue) {
		name, ok := k.(lua.LString)
		if err == nil && (!ok || !slices.Contains(names, string(name))) {
			err = fmt.Errorf("there is no %v%s (there are %s)", optionName(k), suggest(string(name), slices.Values(names)), strings.Join(names, ", "))
		}
	})
	return err
}

func number16(t *lua.LTable, name string) (uint16, error) {
	n, err := whole(orZero(t.RawGetString(name)), 65535)
	if err != nil {
		return 0, about(name, err)
	}
	return uint16(n), nil
}

// orZero is v, or 0 for nothing.
func orZero(v lua.LValue) lua.LValue {
	if v == lua.LNil {
		return lua.LNumber(0)
	}
	return v
}
