package luabind

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func addressGlobals() []global {
	return []global{
		{name: "cidr", sig: "(network: string): network", doc: `a network: cidr("192.0.2.0/24"):contains(p.ip.src)`, fn: (*instance).cidr},
		{name: "aton", sig: "(text: string): string?, string?", doc: "the 4 or 16 bytes of an address; nil and why if it is none", fn: (*instance).aton},
		{name: "ntoa", sig: "(bytes: string): address?, string?", doc: "the address of 4 or 16 bytes; nil and why for another length", fn: (*instance).ntoa},
		{name: "seqdiff", sig: "(a: number, b: number): integer", doc: "how far sequence number a is past b, modulo 2^32: less than 0 where it is before", fn: (*instance).seqdiff},
	}
}

// networkClass is what cidr returns.
func networkClass() class {
	return class{name: "network", doc: "a range of addresses, as cidr returns it", methods: map[string]classMethod{
		"contains": {"(address: string): boolean", "whether an address is in it; those of the other family are not", (*instance).contains},
		"address":  {"(): address", "its first address", func(in *instance, L *lua.LState) int { return pushText(L, in.checkNetwork(L, 1).Addr().String()) }},
		"bits": {"(): integer", "the length of its prefix", func(in *instance, L *lua.LState) int {
			L.Push(in.number(float64(in.checkNetwork(L, 1).Bits())))
			return 1
		}},
	}}
}

func pushText(L *lua.LState, s string) int {
	L.Push(lua.LString(s))
	return 1
}

// cidr is cidr("192.0.2.0/24"); a single address is a network of one. Bits behind the
// prefix do not matter, as in an address with its length.
func (in *instance) cidr(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("cidr: want a string such as \"192.0.2.0/24\", got %s", describe(L.Get(1))))
	}
	p, err := parseNetwork(string(s))
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("cidr: %w", err))
	}
	if in.networkMeta == nil {
		in.networkMeta = in.newClass(networkClass())
		in.networkMeta.RawSetString("__tostring", in.state.L().NewFunction(func(L *lua.LState) int {
			return pushText(L, in.checkNetwork(L, 1).String())
		}))
		in.networkMeta.RawSetString("__eq", in.state.L().NewFunction(func(L *lua.LState) int {
			L.Push(lua.LBool(in.checkNetwork(L, 1) == in.checkNetwork(L, 2)))
			return 1
		}))
	}
	L.Push(&lua.LUserData{Value: p, Metatable: in.networkMeta})
	return 1
}

func parseNetwork(s string) (netip.Prefix, error) {
	if len(s) > longestAddr {
		return netip.Prefix{}, fmt.Errorf("%q is no network: write one such as \"192.0.2.0/24\"", clip(s))
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		text, length, _ := strings.Cut(s, "/")
		if a, aerr := netip.ParseAddr(text); aerr == nil && a.Zone() == "" {
			return p, fmt.Errorf("%q: the prefix of an %s network has 0 to %d bits, not %q", clip(s), family(a), a.BitLen(), clip(length))
		}
		return p, fmt.Errorf("%q is no network: write it as \"192.0.2.0/24\" or \"2001:db8::/32\"", clip(s))
	}
	return p.Masked(), nil
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// networkOf is the network that v is, for patterns that take one as a value.
func networkOf(v lua.LValue) (netip.Prefix, bool) {
	if ud, ok := v.(*lua.LUserData); ok {
		p, ok := ud.Value.(netip.Prefix)
		return p, ok
	}
	return netip.Prefix{}, false
}

func (in *instance) checkNetwork(L *lua.LState, n int) netip.Prefix {
	p, ok := networkOf(L.Get(n))
	if !ok {
		in.state.Raise(L, fmt.Errorf("want a network, got %s: call it with a colon, as in net:contains(a)", describe(L.Get(n))))
	}
	return p
}

func (in *instance) contains(L *lua.LState) int {
	p := in.checkNetwork(L, 1)
	s, ok := L.Get(2).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("contains: want an address, got %s", describe(L.Get(2))))
	}
	a, err := in.parseAddr(s)
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("contains: %w", err))
	}
	L.Push(lua.LBool(p.Contains(a)))
	return 1
}

// longestAddr is longer than any address, with a zone or the length of its network.
const longestAddr = 64

// readAddr is netip.ParseAddr for text of any length, all of which that goes over, and
// says again in its error.
func readAddr(s string) (netip.Addr, error) {
	if len(s) > longestAddr {
		return netip.Addr{}, errors.New("too long for an address")
	}
	return netip.ParseAddr(s)
}

// aton and ntoa fail softly: what they are asked about came out of packets.
func (in *instance) aton(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("aton: want an address as text, got %s", describe(L.Get(1))))
	}
	a, err := readAddr(string(s))
	if err != nil || a.Zone() != "" {
		return fails(L, fmt.Sprintf("%q is no address", clip(string(s))))
	}
	return pushText(L, string(a.AsSlice()))
}

func (in *instance) ntoa(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("ntoa: want 4 or 16 bytes, got %s", describe(L.Get(1))))
	}
	a, ok := netip.AddrFromSlice([]byte(s))
	if !ok {
		return fails(L, fmt.Sprintf("an address has 4 or 16 bytes, not %d", len(s)))
	}
	return pushText(L, a.String())
}

// fails is an expected failure: nil and why.
func fails(L *lua.LState, why string) int {
	L.Push(lua.LNil)
	L.Push(lua.LString(why))
	return 2
}

// seqdiff is the signed distance of RFC 1982 and RFC 9293 3.4: numbers half of all
// apart are the one case without an answer, and are before.
func (in *instance) seqdiff(L *lua.LState) int {
	var n [2]uint32
	for i := range n {
		v, err := whole(L.Get(i+1), math.MaxUint32)
		if err != nil {
			return in.state.Raise(L, about("seqdiff", err))
		}
		n[i] = uint32(v)
	}
	L.Push(in.number(float64(int32(n[0] - n[1]))))
	return 1
}
