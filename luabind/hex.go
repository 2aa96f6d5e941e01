package luabind

import (
	"encoding/hex"
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
	}
}

// hex is hex"45 00": bytes from hexadecimal text, blanks and colons aside.
func (in *instance) hex(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("hex: want a string such as \"45 00\", got %s", describe(L.Get(1))))
	}
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n:", r) {
			return -1
		}
		return r
	}, string(s))
	b, err := hex.DecodeString(digits)
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("hex: %q: %w: write pairs of the digits 0-9 and a-f", clip(string(s)), err))
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
	L.Push(lua.LString(hex.EncodeToString([]byte(s))))
	return 1
}

func (in *instance) checksum(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("checksum: want a string, got %s", describe(L.Get(1))))
	}
	L.Push(lua.LNumber(packet.Checksum([]byte(s))))
	return 1
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
