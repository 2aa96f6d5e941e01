package luabind

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"

	lua "github.com/yuin/gopher-lua"
)

// A number in gopher-lua is eight bytes on the heap, a string sixteen and its
// text. Packets show the same ports, lengths and addresses again and again, so
// an instance keeps the values it has made.

// maxTexts bounds the texts kept of one kind.
const maxTexts = 4096

// texts keeps the Lua string of each value of one kind.
type texts[K comparable] map[K]lua.LValue

func (t *texts[K]) of(k K, text func(K) string) lua.LValue {
	if v, ok := (*t)[k]; ok {
		return v
	}
	if *t == nil || len(*t) >= maxTexts {
		*t = make(texts[K])
	}
	v := lua.LValue(lua.LString(text(k)))
	(*t)[k] = v
	return v
}

// numbers keeps one number a slot; the slot follows from the number.
type numbers [1024]struct {
	n float64
	v lua.LValue
}

// number is n as a Lua value.
func (in *instance) number(n float64) lua.LValue {
	h := math.Float64bits(n) * 0x9e3779b97f4a7c15 >> 54
	slot := &in.numbers[h]
	if slot.v == nil || slot.n != n {
		slot.n, slot.v = n, lua.LNumber(n)
	}
	return slot.v
}

// addrTexts keeps one address a slot; the slot follows from the address.
type addrTexts [512]struct {
	a netip.Addr
	v lua.LValue
}

// address is a as a Lua string.
func (in *instance) address(a netip.Addr) lua.LValue {
	b := a.As16()
	h := (binary.BigEndian.Uint64(b[8:]) ^ binary.BigEndian.Uint64(b[:8])) * 0x9e3779b97f4a7c15 >> 55
	slot := &in.addrs[h]
	if slot.v == nil || slot.a != a {
		slot.a, slot.v = a, lua.LString(a.String())
	}
	return slot.v
}

// parseAddr reads an IP address that a script wrote, with the same economy.
func (in *instance) parseAddr(v lua.LValue) (netip.Addr, error) {
	s, ok := v.(lua.LString)
	if !ok {
		return netip.Addr{}, fmt.Errorf("want an address such as \"192.0.2.1\" or \"2001:db8::1\", got %s", describe(v))
	}
	if a, ok := in.parsed[s]; ok {
		return a, nil
	}
	a, err := readAddr(string(s))
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q is no address: write one such as \"192.0.2.1\" or \"2001:db8::1\"", clip(string(s)))
	}
	if a.Is4In6() {
		return netip.Addr{}, errors.New("an IPv4 address within IPv6 is on no wire: write the IPv4 address alone")
	}
	if in.parsed == nil || len(in.parsed) >= maxTexts {
		in.parsed = map[lua.LString]netip.Addr{}
	}
	in.parsed[s] = a
	return a, nil
}
