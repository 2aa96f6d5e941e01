package luabind_test

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// restore gives every field of every layer another value and then its old one, and
// logs what the packet is where it is not what it was.
const restore = `
local values = { 0, 1, 7, 1400, 65535, "192.0.2.77", "2001:db8::77", "02:00:00:00:00:77", "FA", true, false,
	hex"01010101", {}, { { 60, hex"0000010400000000" } }, { 1, 2 }, { { 3, 4 } }, "reply" }
local function same(a, b)
	if type(a) ~= "table" or type(b) ~= "table" then return a == b end
	for k, v in pairs(a) do if not same(v, b[k]) then return false end end
	return #a == #b
end
local changes, took = 0, {}
local function try(layer, name, was)
	for i = took[name] and 0 or 1, #values do
		local v = values[i == 0 and took[name] or i] -- what it took last first
		-- Protocol 0 would make an extension header of what follows, and an option of
		-- another length goes behind the others.
		local other = name == "proto" and v == 0 or name == "sack" and type(v) == "table" and #v ~= #was
		if not same(v, was) and not other and pcall(function() layer[name] = v end) then
			changes, took[name] = changes + 1, i == 0 and took[name] or i
			return true
		end
	end
end
on{ name = "restore", run = function(p)
	local all = p:bytes()
	local function back(what)
		if p:bytes() ~= all then
			log.info("differs " .. what .. " " .. tohex(p:bytes()) .. " " .. tohex(all))
			p = packet(all, DEVICE == "tap" and "eth" or nil)
		end
	end
	for _, f in ipairs(FIELDS) do
		local layer = f[1] == "packet" and p or f[1] == "options" and p.tcp and p.tcp.options or f[1] ~= "options" and p[f[1]]
		local old = layer and layer[f[2]]
		local grows = f[2] == "extensions" or f[2] == "options"
		if layer and old ~= nil and (not grows or p:valid() and (p.ip4 or p.ip.len > 40)) then -- lengths that are wrong would be right
			if f[1] == "tcp" and f[2] == "options" then old = p.tcp:bytes(20, p.tcp:bits(96, 4) * 4 - 20) or "" end
			if try(layer, f[2], old) then
				-- The layer may be another one meanwhile, as a protocol says.
				layer[f[2]] = old
				back(f[1] .. "." .. f[2])
			end
		end
	end
	if p:valid() then
		p.payload = p.payload:reverse() .. "x"
		p.payload = p.payload:sub(1, -2):reverse()
		if #p:bytes() == #all then back("payload") else p = packet(all, DEVICE == "tap" and "eth" or nil) end
		p.payload = p.payload:reverse()
		p.payload = p.payload:reverse()
		back("payload of the same length")
	end
	log.info("changed " .. changes)
	changes = 0
	return "drop"
end }
`

// Every field of every packet of the captures is changed and changed back: it is byte
// for byte what it was, wrong checksums included.
func TestEveryFieldThereAndBack(t *testing.T) {
	dir := os.Getenv("TUNSCRIPT_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	labs := map[packet.LinkType]*lab{packet.IP: restorer(t, tundev.TUN), packet.Ethernet: restorer(t, tundev.TAP)}
	packets, changes := 0, 0
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		eachPacket(path, func(p *packet.Packet) {
			if p.Link() == packet.Ethernet && p.Len() < 14 {
				return
			}
			l := labs[p.Link()]
			l.put(p)
			if len(l.errs) > 0 {
				t.Fatalf("%s: %v: %v", path, p, l.errs)
			}
			packets++
			changes += readRestored(t, path, p, l.said())
		})
		return nil
	})
	if packets == 0 {
		t.Skip("no capture files: set TUNSCRIPT_CORPUS to a folder of them")
	}
	t.Logf("%d packets, %d changes", packets, changes)
	if changes < 10*packets {
		t.Errorf("only %d changes of %d packets", changes, packets)
	}
}

func restorer(t *testing.T, kind tundev.Kind) *lab {
	var fields []string
	for name, set := range luabind.FieldNames() {
		if layer, field, _ := strings.Cut(name, "."); set && layer != "ip4" && layer != "ip6" && !slices.Contains([]string{"packet.payload", "packet.out", "options.sack_permitted"}, name) { // the last one is there or not
			fields = append(fields, fmt.Sprintf("{%q,%q}", layer, field))
		}
	}
	slices.Sort(fields)
	src := fmt.Sprintf("local DEVICE, FIELDS = %q, {%s}\n%s", kind, strings.Join(fields, ","), restore)
	s := setup{kind: kind, scripts: []string{src}}
	s.limits.Instructions = 50_000_000
	return s.start(t)
}

// readRestored fails where a packet differs, but for the two ways to write 0 in a
// checksum and for padding, and counts the changes.
func readRestored(t *testing.T, path string, p *packet.Packet, said string) (changes int) {
	for line := range strings.SplitSeq(said, "\n") {
		words := strings.Fields(strings.TrimPrefix(line, "info: "))
		if words[0] == "changed" {
			fmt.Sscan(words[1], &changes)
			continue
		}
		n := len(words)
		got, _ := hex.DecodeString(words[n-2])
		want, _ := hex.DecodeString(words[n-1])
		if !sameButForZero(got, want, p.Layout()) {
			t.Errorf("%s: %v: after %s\ngot  % x\nwant % x", path, p, strings.Join(words[1:n-2], " "), got, want)
		}
	}
	return changes
}

func sameButForZero(got, want []byte, l *packet.Layout) bool {
	if len(got) < len(want) && len(got) == l.End {
		want = want[:len(got)] // padding goes where a length changes
	}
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		sum := i&^1 == (l.L3+10)&^1 || l.L4 > 0 && i > l.L4 && i < l.L4+18
		if got[i] != want[i] && (!sum || got[i]|want[i] != 0xff || got[i]&want[i] != 0) {
			return false
		}
	}
	return true
}
