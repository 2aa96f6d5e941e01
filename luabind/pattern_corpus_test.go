package luabind_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// learn waits for every field of a packet as it is, and as it is not, when it is shown
// one; the next packet is the same again.
const learn = `
local learning = true
local function other(v)
	if type(v) == "number" then return v > 0 and v - 1 or v + 1 end
	if type(v) == "boolean" then return not v end
	if v:find("^%d+%.%d+%.") then return "203.0.113.254" end
	if v:find("^%x%x:%x%x:%x%x:%x%x:%x%x:%x%x$") then return "02:00:00:00:00:fe" end
	if v:find(":") then return "2001:db8::fe" end
	if v == "request" then return "reply" end
	if v:find("^[FSRPAUEC]*$") then return v == "S" and "A" or "S" end
	return v .. "x"
end
on(function(p)
	learning = not learning
	if learning then return end
	local n = 0
	for _, f in ipairs(FIELDS) do
		local layer = f[1] == "packet" and p or f[1] == "options" and p.tcp and p.tcp.options or f[1] ~= "options" and p[f[1]]
		local v = layer and layer[f[2]]
		if layer and v ~= nil and type(v) ~= "table" and type(v) ~= "userdata" then
			local function wait(what, v, should)
				local t = { [f[2]] = v }
				if f[1] == "options" then t = { tcp = { options = t } } elseif f[1] ~= "packet" then t = { [f[1]] = t } end
				t.peek = true
				spawn(function()
					local q = recv(t, 0.5)
					if (q ~= nil) ~= should then log.info(what, f[1] .. "." .. f[2], tostring(v)) end
				end)
				n = n + 1
			end
			wait("missed", v, true)
			wait("took", other(v), false)
		end
	end
	log.info("asked", n)
end)
`

// A pattern made of a field of a captured packet matches the packet, and one made of
// another value does not.
func TestPatternsOfEveryField(t *testing.T) {
	dir := os.Getenv("TUNSCRIPT_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	every := 7
	if testing.Short() {
		every = 97
	}
	labs := map[packet.LinkType]*lab{packet.IP: learner(t, tundev.TUN), packet.Ethernet: learner(t, tundev.TAP)}
	packets, asked := 0, 0
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		eachPacket(path, func(p *packet.Packet) {
			if p.Link() == packet.Ethernet && p.Len() < 14 {
				return
			}
			if packets++; packets%every != 0 {
				return
			}
			l := labs[p.Link()]
			l.put(p)
			l.put(p)
			l.advance(time.Second)
			if len(l.errs) > 0 {
				t.Fatalf("%s: %v: %v", path, p, l.errs)
			}
			for line := range strings.SplitSeq(l.said(), "\n") {
				n := 0
				if _, err := fmt.Sscanf(line, "info: asked %d", &n); err == nil {
					asked += n
				} else if line != "" {
					t.Errorf("%s: %v: %s", path, p, line)
				}
			}
		})
		return nil
	})
	if packets == 0 {
		t.Skip("no capture files: set TUNSCRIPT_CORPUS to a folder of them")
	}
	t.Logf("%d patterns of %d packets", asked, packets/every)
	if asked < 20*(packets/every) {
		t.Errorf("only %d patterns", asked)
	}
}

func learner(t *testing.T, kind tundev.Kind) *lab {
	var fields []string
	for name := range luabind.FieldNames() {
		layer, field, _ := strings.Cut(name, ".")
		if !slices.Contains([]string{"packet.payload", "packet.out", "packet.time", "packet.flow"}, name) {
			fields = append(fields, fmt.Sprintf("{%q,%q}", layer, field))
		}
	}
	slices.Sort(fields)
	s := setup{kind: kind, scripts: []string{fmt.Sprintf("local FIELDS = {%s}\n%s", strings.Join(fields, ","), learn)}}
	s.limits.Instructions = 50_000_000
	return s.start(t)
}
