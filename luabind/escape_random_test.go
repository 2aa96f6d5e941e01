package luabind

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind/vm"
)

// A feed is a device that gives some packets and ends.
type feed struct{ ps []*packet.Packet }

func (f *feed) Info() engine.Info                         { return engine.Info{Name: "tun0", MTU: 1500} }
func (f *feed) Attach(engine.Env) ([]engine.Queue, error) { return []engine.Queue{f}, nil }
func (f *feed) Detach()                                   {}
func (f *feed) Close() error                              { return nil }
func (f *feed) FD() int                                   { return -1 }

func (f *feed) Read(ps []*packet.Packet, pool *packet.Pool) (int, error) {
	if len(f.ps) == 0 {
		return 0, io.EOF
	}
	ps[0] = pool.Get(f.ps[0].Len())
	err := ps[0].Set(f.ps[0].Bytes(), packet.IP)
	f.ps = f.ps[1:]
	return 1, err
}

func (f *feed) Write([]*packet.Packet, func(*packet.Packet, engine.Reason)) error { return nil }

// numbered is a feed of n packets that differ in every number a script sees.
func numbered(t testing.TB, n int) *feed {
	f := &feed{}
	for i := range n {
		p, err := packet.Build(
			packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"), ID: uint16(i + 1)},
			packet.TCP{Sport: uint16(1000 + i), Dport: 80, Seq: uint32(i + 1), Ack: uint32(5000 + i), Flags: packet.ACK,
				Options: []byte{2, 4, 4, byte(i)}},
			packet.Payload("payload"))
		if err != nil {
			t.Fatal(err)
		}
		f.ps = append(f.ps, p)
	}
	return f
}

// oracle is what surrounds a random handler. After each packet, while another
// handler has it in hand with answers of its own, everything that can be reached is
// asked what it shows: what it showed the first time, or an error, and nothing else.
const oracle = `
local kept, fns, u1, u2, seen = {}, {}, nil, nil, {}
local template = ip{ src = "198.51.100.1", dst = "198.51.100.2" }/tcp{ dport = 7, seq = 77, flags = "A" }
local function id(...) return ... end
local function second(a, b) return b end
local function box(x) return { x } end
local function save(...) for i = 1, select("#", ...) do kept[#kept + 1] = (select(i, ...)) end end
local function both(a, b) save(a, b) return a end
local object = setmetatable({}, { __index = function(t, k) save(k) return save end, __newindex = function(t, k, v) save(k, v) end,
  __add = both, __div = both, __concat = both, __call = function(self, x) save(x) return x end })

local show = {
  tcp = function(v) return v.seq .. " " .. v.ack end,
  ip = function(v) return "id " .. v.id end,
  options = function(v) return "mss " .. tostring(v.mss) end,
  packet = function(v) return v.tcp.seq .. " " .. v.tcp.ack end,
}
local function ask(v)
  local ok, shown = pcall(show[tostring(v)] or show.packet, v)
  if not ok then
    if not shown:find("use p:copy()", 1, true) then log.error("raises something else: " .. shown) end
    shown = "gone"
  end
  if seen[v] == nil then seen[v] = shown end
  if shown ~= seen[v] and shown ~= "gone" then
    log.error("kept something that showed " .. seen[v] .. ", and shows " .. shown .. " now: " .. tostring(v))
  end
end
local function reach(v, visited)
  if type(v) == "userdata" then ask(v)
  elseif type(v) == "table" and not visited[v] then
    visited[v] = true
    for k, x in next, v do reach(k, visited) reach(x, visited) end
    if getmetatable(v) and v ~= object then reach(getmetatable(v), visited) end
  elseif type(v) == "function" and not visited[v] then
    visited[v] = true
    if v ~= save and v ~= id and v ~= second then
      local results = { pcall(v) }
      for i = 2, 4 do if type(results[i]) ~= "string" then reach(results[i], visited) end end
    end
  end
end
local function check()
  local visited = {}
  reach(kept, visited) reach(fns, visited) reach(u1, visited) reach(u2, visited) reach(_G.g1, visited)
end
on{ prio = -50, run = function(p)
  local a, b, c, d = p:reply(), p:copy(), p:reply(), p:copy()
  local l, i, o = p.tcp, p.ip, p.tcp.options
  local n = a.tcp.seq + b.ip.id + c.tcp.ack + d.tcp.ack + l.seq + i.id + o.mss + b.tcp.options.mss
  check()
end }
on{ prio = 50, run = function(p)
  local a, b = p:copy(), p:reply()
  local n = a.tcp.seq + b.tcp.seq
  check()
end }
`

// TestNoHandlerSeesAnotherPacketsBytes runs random handlers. Whether a handler is
// said to keep its packet does not matter here: what it has kept shows its own
// packet or raises.
func TestNoHandlerSeesAnotherPacketsBytes(t *testing.T) {
	programs := 2000
	if testing.Short() {
		programs = 300
	}
	free := 0
	for seed := range programs {
		source := randomHandler(rand.New(rand.NewPCG(uint64(seed), 1)))
		if !keeps(compileFunction(t, source).Proto) {
			free++
		}
		if !play(t, source) {
			t.Fatalf("seed %d:\n%s", seed, source)
		}
	}
	if free < programs/4 || free > programs*3/4 {
		t.Errorf("%d of %d handlers keep nothing: the generator proves little", free, programs)
	}
}

// play runs the handler over some packets and reports whether all was well.
func play(t *testing.T, handler string) bool {
	t.Helper()
	good := true
	script, err := LoadString("random.lua", oracle+"on("+handler+")", Options{
		Limits: vm.Limits{Instructions: 200_000},
		Log: func(level Level, _, text string) {
			if level == Error {
				t.Error(text)
				good = false
			}
		},
	})
	if err != nil {
		t.Error(err)
		return false
	}
	eng, err := engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: numbered(t, 6)}},
		Programs: []engine.ProgramConfig{{Program: script, OnError: engine.OnErrorPass, DisableAfter: -1}},
		Observer: engine.ObserverFunc(func(e *engine.Event) {
			// The random handler may fail; the handlers around it may not.
			if e.Kind == engine.Failed && !strings.HasSuffix(e.Handler, handlerName) {
				t.Error(e.Handler, e.Reason)
				good = false
			}
		}),
	})
	if err != nil {
		t.Error(err)
		return false
	}
	if err := eng.Run(context.Background()); err != nil {
		t.Error(err)
		return false
	}
	return good
}

// handlerName ends the name of the handler that follows the oracle.
var handlerName = fmt.Sprintf(":%d", strings.Count(oracle, "\n")+1)
