package luabind

import (
	"fmt"
	"net/netip"

	lua "github.com/yuin/gopher-lua"
	"golang.org/x/net/dns/dnsmessage"
)

// The data of a record: an address for A and AAAA; a name for NS, CNAME and PTR; a string
// for TXT, or a list of strings; tables for MX {pref, host}, SRV {priority, weight, port,
// target}, SOA {ns, mbox, serial, refresh, retry, expire, minttl} and OPT, a list of
// {code, data}; bytes for every other type.

// dnsData reads the data of the record that p stands at.
func (in *instance) dnsData(L *lua.LState, p *dnsmessage.Parser, typ dnsmessage.Type) (lua.LValue, error) {
	text := func(n dnsmessage.Name, err error) (lua.LValue, error) { return lua.LString(n.String()), err }
	fields := func(err error, pairs ...any) (lua.LValue, error) { return in.dnsFields(L, pairs...), err }
	switch typ {
	case dnsmessage.TypeA:
		r, err := p.AResource()
		return lua.LString(netip.AddrFrom4(r.A).String()), err
	case dnsmessage.TypeAAAA:
		r, err := p.AAAAResource()
		return lua.LString(netip.AddrFrom16(r.AAAA).String()), err
	case dnsmessage.TypeNS:
		r, err := p.NSResource()
		return text(r.NS, err)
	case dnsmessage.TypeCNAME:
		r, err := p.CNAMEResource()
		return text(r.CNAME, err)
	case dnsmessage.TypePTR:
		r, err := p.PTRResource()
		return text(r.PTR, err)
	case dnsmessage.TypeMX:
		r, err := p.MXResource()
		return fields(err, "pref", r.Pref, "host", r.MX.String())
	case dnsmessage.TypeSRV:
		r, err := p.SRVResource()
		return fields(err, "priority", r.Priority, "weight", r.Weight, "port", r.Port, "target", r.Target.String())
	case dnsmessage.TypeSOA:
		r, err := p.SOAResource()
		return fields(err, "ns", r.NS.String(), "mbox", r.MBox.String(), "serial", r.Serial,
			"refresh", r.Refresh, "retry", r.Retry, "expire", r.Expire, "minttl", r.MinTTL)
	case dnsmessage.TypeTXT:
		r, err := p.TXTResource()
		if len(r.TXT) == 1 {
			return lua.LString(r.TXT[0]), err
		}
		list := L.CreateTable(len(r.TXT), 0)
		for _, s := range r.TXT {
			list.Append(lua.LString(s))
		}
		return list, err
	case dnsmessage.TypeOPT:
		r, err := p.OPTResource()
		list := L.CreateTable(len(r.Options), 0)
		for _, o := range r.Options {
			list.Append(in.dnsFields(L, "code", o.Code, "data", string(o.Data)))
		}
		return list, err
	}
	r, err := p.UnknownResource()
	return lua.LString(r.Data), err
}

// dnsFields makes a table of names and what they hold: strings and unsigned integers.
func (in *instance) dnsFields(L *lua.LState, pairs ...any) *lua.LTable {
	t := L.CreateTable(0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		var value lua.LValue
		switch v := pairs[i+1].(type) {
		case string:
			value = lua.LString(v)
		case uint16:
			value = in.number(float64(v))
		case uint32:
			value = in.number(float64(v))
		}
		t.RawSetString(pairs[i].(string), value)
	}
	return t
}

// data adds a record with data.
func (b *dnsBuilder) data(h dnsmessage.ResourceHeader, v lua.LValue) error {
	switch h.Type {
	case dnsmessage.TypeA, dnsmessage.TypeAAAA:
		return b.address(h, v)
	case dnsmessage.TypeNS, dnsmessage.TypeCNAME, dnsmessage.TypePTR:
		return b.name(h, v)
	case dnsmessage.TypeMX:
		var r dnsmessage.MXResource
		f := readFields(v, "pref", "host")
		f.u16("pref", &r.Pref)
		f.name("host", &r.MX)
		return f.then(func() error { return b.b.MXResource(h, r) })
	case dnsmessage.TypeSRV:
		var r dnsmessage.SRVResource
		f := readFields(v, "priority", "weight", "port", "target")
		f.u16("priority", &r.Priority)
		f.u16("weight", &r.Weight)
		f.u16("port", &r.Port)
		f.name("target", &r.Target)
		return f.then(func() error { return b.b.SRVResource(h, r) })
	case dnsmessage.TypeSOA:
		var r dnsmessage.SOAResource
		f := readFields(v, "ns", "mbox", "serial", "refresh", "retry", "expire", "minttl")
		f.name("ns", &r.NS)
		f.name("mbox", &r.MBox)
		f.u32("serial", &r.Serial)
		f.u32("refresh", &r.Refresh)
		f.u32("retry", &r.Retry)
		f.u32("expire", &r.Expire)
		f.u32("minttl", &r.MinTTL)
		return f.then(func() error { return b.b.SOAResource(h, r) })
	case dnsmessage.TypeTXT:
		all, err := txtStrings(v)
		if err != nil {
			return err
		}
		return b.b.TXTResource(h, dnsmessage.TXTResource{TXT: all})
	case dnsmessage.TypeOPT:
		r, err := ednsOptions(v)
		if err != nil {
			return err
		}
		return b.b.OPTResource(h, r)
	}
	s, ok := v.(lua.LString)
	if !ok {
		return fmt.Errorf("of this type it is bytes, a string, got %s", describe(v))
	}
	return b.b.UnknownResource(h, dnsmessage.UnknownResource{Type: h.Type, Data: []byte(s)})
}

// address adds an A or AAAA record.
func (b *dnsBuilder) address(h dnsmessage.ResourceHeader, v lua.LValue) error {
	a, err := b.in.parseAddr(v)
	switch {
	case err != nil:
		return err
	case h.Type == dnsmessage.TypeA && a.Is4():
		return b.b.AResource(h, dnsmessage.AResource{A: a.As4()})
	case h.Type == dnsmessage.TypeAAAA && a.Is6():
		return b.b.AAAAResource(h, dnsmessage.AAAAResource{AAAA: a.As16()})
	}
	return fmt.Errorf("%s is of the other family: A is IPv4, AAAA is IPv6", a)
}

// name adds a record that is one name: NS, CNAME or PTR.
func (b *dnsBuilder) name(h dnsmessage.ResourceHeader, v lua.LValue) error {
	n, err := dnsName(v)
	switch {
	case err != nil:
		return err
	case h.Type == dnsmessage.TypeNS:
		return b.b.NSResource(h, dnsmessage.NSResource{NS: n})
	case h.Type == dnsmessage.TypeCNAME:
		return b.b.CNAMEResource(h, dnsmessage.CNAMEResource{CNAME: n})
	}
	return b.b.PTRResource(h, dnsmessage.PTRResource{PTR: n})
}

// txtStrings is a string or a list of strings, none longer than a length byte can say.
func txtStrings(v lua.LValue) (all []string, err error) {
	items := []lua.LValue{v}
	if list, ok := v.(*lua.LTable); ok {
		items = items[:0]
		for i := 1; i <= list.Len(); i++ {
			items = append(items, list.RawGetInt(i))
		}
	}
	for _, item := range items {
		s, ok := item.(lua.LString)
		if !ok {
			return nil, fmt.Errorf("want a string or a list of strings, got %s", describe(item))
		}
		if len(s) > 255 {
			return nil, fmt.Errorf("a string of %d bytes: cut it into a list of strings of 255 at most", len(s))
		}
		all = append(all, string(s))
	}
	return all, nil
}

func ednsOptions(v lua.LValue) (r dnsmessage.OPTResource, err error) {
	if v == lua.LNil {
		return r, nil
	}
	list, ok := v.(*lua.LTable)
	if !ok {
		return r, fmt.Errorf("want a list of { code =, data = }, got %s", describe(v))
	}
	for i := 1; i <= list.Len(); i++ {
		var o dnsmessage.Option
		f := readFields(list.RawGetInt(i), "code", "data")
		f.u16("code", &o.Code)
		s, ok := f.get("data").(lua.LString)
		if !ok && f.err == nil {
			f.err = fmt.Errorf("data: want a string, got %s", describe(f.get("data")))
		}
		o.Data = []byte(s)
		if f.err != nil {
			return r, fmt.Errorf("[%d]: %w", i, f.err)
		}
		r.Options = append(r.Options, o)
	}
	return r, nil
}

// A fieldReader reads the fields of a table, and keeps the first error.
type fieldReader struct {
	t   *lua.LTable
	err error
}

func readFields(v lua.LValue, names ...string) *fieldReader {
	t, ok := v.(*lua.LTable)
	if !ok {
		return &fieldReader{err: fmt.Errorf("want a table with %s, got %s", words(names), describe(v))}
	}
	return &fieldReader{t, known(t, names)}
}

func (f *fieldReader) get(name string) lua.LValue {
	if f.t == nil {
		return lua.LNil
	}
	return f.t.RawGetString(name)
}

func (f *fieldReader) keep(name string, err error) {
	if f.err == nil && err != nil {
		f.err = about(name, err)
	}
}

func (f *fieldReader) u16(name string, to *uint16) {
	n, err := whole(f.get(name), 65535)
	*to = uint16(n)
	f.keep(name, err)
}

func (f *fieldReader) u32(name string, to *uint32) {
	n, err := whole(f.get(name), 1<<32-1)
	*to = uint32(n)
	f.keep(name, err)
}

func (f *fieldReader) name(name string, to *dnsmessage.Name) {
	n, err := dnsName(f.get(name))
	*to = n
	f.keep(name, err)
}

func (f *fieldReader) then(do func() error) error {
	if f.err != nil {
		return f.err
	}
	return do()
}
