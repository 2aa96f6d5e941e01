package luabind

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"golang.org/x/net/dns/dnsmessage"
)

// A message of DNS (RFC 1035) is a table:
//
//	{ id = 1, qr = true, opcode = 0, aa = false, tc = false, rd = true, ra = false,
//	  ad = false, cd = false, rcode = "NXDOMAIN",
//	  question = { { name = "www.example.", type = "A", class = "IN" } },
//	  answer = { { name = "www.example.", type = "A", class = "IN", ttl = 60, data = "192.0.2.1" } },
//	  authority = {}, additional = {} }
//
// Types, classes and codes are words where there is one, else numbers; building takes
// both. Names end with a dot, which building adds. dns_data.go has what data is.

func dnsModule() module {
	return module{name: "dns", doc: "messages of DNS (RFC 1035)", names: []global{
		{name: "parse", sig: "(s: string): dns.message?, string?", doc: "the message in bytes; nil and why if they are none", fn: (*instance).dnsParse},
		{name: "build", sig: "(message: dns.message): string", doc: "the bytes of a message", fn: (*instance).dnsBuild},
	}}
}

// The words of numbers, both ways.
type codes struct {
	what  string
	words map[uint16]string
	most  uint16
}

var (
	dnsTypes = codes{"type", map[uint16]string{
		1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 35: "NAPTR",
		41: "OPT", 43: "DS", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 52: "TLSA", 64: "SVCB", 65: "HTTPS", 251: "IXFR", 252: "AXFR", 255: "ANY", 257: "CAA",
	}, 65535}
	dnsClasses = codes{"class", map[uint16]string{1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}, 65535}
	dnsRcodes  = codes{"rcode", map[uint16]string{
		0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN", 7: "YXRRSET", 8: "NXRRSET", 9: "NOTAUTH", 10: "NOTZONE",
	}, 15}
)

// value is n as Lua has it.
func (c codes) value(in *instance, n uint16) lua.LValue {
	if w, ok := c.words[n]; ok {
		return lua.LString(w)
	}
	return in.number(float64(n))
}

// read is the other way.
func (c codes) read(v lua.LValue) (uint16, error) {
	if s, ok := v.(lua.LString); ok {
		upper := strings.ToUpper(string(s))
		for n, w := range c.words {
			if w == upper {
				return n, nil
			}
		}
		return 0, fmt.Errorf("there is no %s %s%s", c.what, describe(v)[len("the string "):], suggest(upper, maps.Values(c.words)))
	}
	n, err := whole(v, uint64(c.most))
	return uint16(n), err
}

// dnsFlags are the bits of the header by their names.
var dnsFlags = []struct {
	name string
	get  func(h *dnsmessage.Header) *bool
}{
	{"qr", func(h *dnsmessage.Header) *bool { return &h.Response }},
	{"aa", func(h *dnsmessage.Header) *bool { return &h.Authoritative }},
	{"tc", func(h *dnsmessage.Header) *bool { return &h.Truncated }},
	{"rd", func(h *dnsmessage.Header) *bool { return &h.RecursionDesired }},
	{"ra", func(h *dnsmessage.Header) *bool { return &h.RecursionAvailable }},
	{"ad", func(h *dnsmessage.Header) *bool { return &h.AuthenticData }},
	{"cd", func(h *dnsmessage.Header) *bool { return &h.CheckingDisabled }},
}

// dnsSections are the lists of records, in the order of a message.
var dnsSections = []struct {
	name  string
	next  func(p *dnsmessage.Parser) (dnsmessage.ResourceHeader, error)
	start func(b *dnsmessage.Builder) error
}{
	{"answer", (*dnsmessage.Parser).AnswerHeader, (*dnsmessage.Builder).StartAnswers},
	{"authority", (*dnsmessage.Parser).AuthorityHeader, (*dnsmessage.Builder).StartAuthorities},
	{"additional", (*dnsmessage.Parser).AdditionalHeader, (*dnsmessage.Builder).StartAdditionals},
}

// dnsParse reads a message as far as it says it goes.
func (in *instance) dnsParse(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("dns.parse: want a string, got %s", describe(L.Get(1))))
	}
	in.state.Charge(L, 16+len(s)/16)
	t, err := in.dnsMessage(L, []byte(s))
	if err != nil {
		return fails(L, fmt.Sprintf("it is no DNS message: %v", err))
	}
	L.Push(t)
	return 1
}

func (in *instance) dnsMessage(L *lua.LState, msg []byte) (*lua.LTable, error) {
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil {
		return nil, err
	}
	t := L.CreateTable(0, 16)
	t.RawSetString("id", in.number(float64(h.ID)))
	t.RawSetString("opcode", in.number(float64(h.OpCode)))
	t.RawSetString("rcode", dnsRcodes.value(in, uint16(h.RCode)))
	for _, f := range dnsFlags {
		t.RawSetString(f.name, lua.LBool(*f.get(&h)))
	}
	questions := L.CreateTable(1, 0)
	t.RawSetString("question", questions)
	for {
		q, err := p.Question()
		if err == dnsmessage.ErrSectionDone {
			break
		}
		if err != nil {
			return nil, err
		}
		in.state.Charge(L, 8)
		questions.Append(in.dnsHead(L, q.Name, q.Type, q.Class))
	}
	for _, section := range dnsSections {
		records := L.CreateTable(0, 0)
		t.RawSetString(section.name, records)
		for {
			h, err := section.next(&p)
			if err == dnsmessage.ErrSectionDone {
				break
			}
			if err != nil {
				return nil, err
			}
			in.state.Charge(L, 8+int(h.Length)/16)
			record := in.dnsHead(L, h.Name, h.Type, h.Class)
			record.RawSetString("ttl", in.number(float64(h.TTL)))
			data, err := in.dnsData(L, &p, h.Type)
			if err != nil {
				return nil, err
			}
			record.RawSetString("data", data)
			records.Append(record)
		}
	}
	return t, nil
}

// dnsHead is what a question and a record have in common.
func (in *instance) dnsHead(L *lua.LState, name dnsmessage.Name, typ dnsmessage.Type, class dnsmessage.Class) *lua.LTable {
	t := L.CreateTable(0, 5)
	t.RawSetString("name", lua.LString(name.String()))
	t.RawSetString("type", dnsTypes.value(in, uint16(typ)))
	if typ == dnsmessage.TypeOPT { // RFC 6891 6.1.2: what the sender can take
		t.RawSetString("class", in.number(float64(class)))
	} else {
		t.RawSetString("class", dnsClasses.value(in, uint16(class)))
	}
	return t
}

// dnsNames are the fields of a message, for the error about another.
func dnsNames() []string {
	names := []string{"id", "opcode", "rcode", "question"}
	for _, f := range dnsFlags {
		names = append(names, f.name)
	}
	for _, s := range dnsSections {
		names = append(names, s.name)
	}
	return slices.Sorted(slices.Values(names))
}
