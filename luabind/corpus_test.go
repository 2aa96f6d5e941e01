package luabind_test

import (
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

// everything reads every field, prints every form and builds every answer, of the
// packet and then of its answers. Whatever came in, none of it raises.
const everything = `
local asked, answers = 0, 0
local function look(p)
	for _, f in ipairs(FIELDS) do
		local layer = f[1] == "packet" and p or f[1] == "options" and p.tcp and p.tcp.options or f[1] ~= "options" and p[f[1]]
		if layer then
			local v = layer[f[2]]
			if type(v) == "table" then for k, w in pairs(v) do assert(w ~= nil) end end
			asked = asked + 1
		end
	end
	for _, name in ipairs{ "eth", "vlan", "arp", "ip", "icmp", "icmp6", "tcp", "udp" } do
		local layer = p[name]
		if layer then
			assert(#layer:bytes() > 0, name)
			for off = 0, 41 do local a, b, c, d = layer:u8(off), layer:u16(off), layer:u32(off), layer:bits(off, 13) end
		end
	end
	if p.tcp then assert(p.tcp:is(p.tcp.flags) and p.tcp:has(p.tcp.flags), "flags") end
	assert(#p:show() > 0 and #p:hex() > 0 and #p:code() > 0 and #tostring(p) > 0, "forms")
	local ok, why = p:valid()
	assert(ok or type(why) == "string", "valid")
	if p.ip then local f = p.flow if f then assert(f.dir == "forward" or f.dir == "back") end end
	asked = asked + 20
end
local function answersOf(p)
	return { p:reply(), p:rst(), p:ttl_exceeded(), p:copy(),
		p:unreachable("port"), p:unreachable("host"), p:unreachable("net"), p:unreachable("admin"),
		p:unreachable("fragmentation", 1280) }
end
on{ name = "everything", run = function(p)
	look(p)
	local all = answersOf(p)
	for i, a in ipairs(all) do
		if a.len > 0 then
			look(a)
			for _, b in ipairs(answersOf(a)) do if b.len > 0 then answers = answers + 1 tostring(b) end end
		else
			assert(#tostring(a) > 0)
		end
	end
	log.info(asked .. " " .. answers)
	asked, answers = 0, 0
	return all
end }
`

// Every packet of the captures, of which many are malformed on purpose, through a
// script that does with it all that there is to do.
func TestEverythingWithTheCorpus(t *testing.T) {
	dir := os.Getenv("TUNSCRIPT_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	labs := map[packet.LinkType]*lab{packet.IP: everythingOf(t, tundev.TUN), packet.Ethernet: everythingOf(t, tundev.TAP)}
	packets, asked, answers, seen := 0, 0, 0, 0
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		eachPacket(path, func(p *packet.Packet) {
			if p.Link() == packet.Ethernet && p.Len() < 14 {
				return // no wire carries it
			}
			if seen++; testing.Short() && seen%20 > 0 {
				return
			}
			packets++
			l := labs[p.Link()]
			l.put(p)
			var a, b int
			if _, err := fmt.Sscanf(l.said(), "info: %d %d", &a, &b); err != nil || len(l.errs) > 0 {
				t.Fatalf("%s: %v: %v %v", path, p, err, l.errs)
			}
			asked, answers = asked+a, answers+b
		})
		return nil
	})
	if packets == 0 {
		t.Skip("no capture files: set TUNSCRIPT_CORPUS to a folder of them")
	}
	t.Logf("%d packets, %d questions, %d answers to answers", packets, asked, answers)
	if asked < 50*packets || answers < packets {
		t.Errorf("only %d questions and %d answers for %d packets", asked, answers, packets)
	}
}

func everythingOf(t *testing.T, kind tundev.Kind) *lab {
	var fields []string
	for name := range luabind.FieldNames() {
		layer, field, _ := strings.Cut(name, ".")
		fields = append(fields, fmt.Sprintf("{%q,%q}", layer, field))
	}
	slices.Sort(fields)
	src := fmt.Sprintf("local FIELDS = {%s}\n%s", strings.Join(fields, ","), everything)
	s := setup{kind: kind, scripts: []string{src}}
	s.limits.Instructions = 50_000_000
	return s.start(t)
}
