package luabind

import (
	"bytes"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

func byteGlobals() []global {
	return []global{
		{name: "hex", sig: "(text: string): string", doc: `the bytes of hexadecimal text: hex"45 00"`, fn: (*instance).hex},
		{name: "tohex", sig: "(s: string): string", doc: "the hexadecimal text of bytes", fn: (*instance).tohex},
		{name: "checksum", sig: "(s: string): integer", doc: "the Internet checksum of bytes (RFC 1071)", fn: (*instance).checksum},
		{name: "xor", sig: "(s: string, key: string): string", doc: "bytes, each combined with one of the key's, which begins again at its end: done twice they are what they were", fn: (*instance).xor},
	}
}

// hex is hex"45 00": bytes from hexadecimal text, blanks and colons aside.
func (in *instance) hex(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("hex: want a string such as \"45 00\", got %s", describe(L.Get(1))))
	}
	in.state.Charge(L, len(s)/4) // a digit at a time
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n:", r) {
			return -1
		}
		return r
	}, string(s))
	b, err := hex.DecodeString(digits)
	if bad, ok := errors.AsType[hex.InvalidByteError](err); ok {
		return in.state.Raise(L, fmt.Errorf("hex: %q: %q is no digit: write pairs of the digits 0-9 and a-f", clip(string(s)), rune(bad)))
	}
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("hex: %q has an odd number of digits: write each byte with two, as in \"0a\"", clip(string(s))))
	}
	L.Push(lua.LString(b))
	return 1
}

// tohex is the other way.
func (in *instance) tohex(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("tohex: want a string, got %s", describe(L.Get(1))))
	}
	in.state.ChargeString(L, 2*len(s))
	L.Push(lua.LString(hex.EncodeToString([]byte(s))))
	return 1
}

func (in *instance) checksum(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("checksum: want a string, got %s", describe(L.Get(1))))
	}
	in.state.Work(len(s) / lookedAt)
	L.Push(lua.LNumber(packet.Checksum([]byte(s))))
	return 1
}

// xor is xor(s, key), which in Lua is a table and a string for each byte.
func (in *instance) xor(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("xor: want a string, got %s", describe(L.Get(1))))
	}
	key, ok := L.Get(2).(lua.LString)
	switch {
	case !ok:
		return in.state.Raise(L, fmt.Errorf("xor: want a string as the key, got %s: string.char(n) is that of one byte", describe(L.Get(2))))
	case key == "":
		return in.state.Raise(L, errors.New("xor: the key is empty: give it at least one byte"))
	}
	in.state.ChargeString(L, len(s))
	const wide = 64 // what is worth a call
	b, pad := []byte(s), []byte(key[:min(len(key), len(s))])
	if n := len(pad); 0 < n && n < wide {
		pad = bytes.Repeat(pad, (wide+n-1)/n)
	}
	for at := 0; at < len(b); at += len(pad) {
		subtle.XORBytes(b[at:], b[at:], pad)
	}
	L.Push(lua.LString(b))
	return 1
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
