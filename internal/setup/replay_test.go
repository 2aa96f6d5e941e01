package setup_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/setup"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// A script in which everything is chance and time: timers, tasks that wait for packets
// and for each other's timers, faults, tables walked, ids and ports drawn.
const chance = `
local impair = require "impair"
impair{ "udp", loss = 0.1, delay = 0.02, jitter = 0.01, duplicate = 0.1 }
local seen = {}
every(0.05, function()
  for k, n in pairs(seen) do if math.random() < 0.3 then seen[k] = nil end end
end)
spawn(function()
  while true do
    local p = recv({ udp = true }, math.random())
    sleep(math.random() / 10)
    if p then send(p:reply{ payload = ("x"):rep(math.random(1, 50)) }) end
  end
end)
on("udp", function(p)
  local key = p.udp.sport .. ""
  seen[key] = (seen[key] or 0) + 1
  shared.count:incr(key)
  if math.random() < 0.2 then
    spawn(function()
      sleep(math.random() / 20)
      send(ip{ dst = "192.0.2.1" }/tcp{ dport = seen[key] or 1 })
    end)
  end
end)
`

// The same seed over the same input gives the same bytes out, on every run.
func TestReplayIsRepeatable(t *testing.T) {
	runs := 100
	if testing.Short() {
		runs = 10
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pcapng")
	record(t, in, 300)
	c := configure(t, map[string]string{"config.toml": device + "[[script]]\npath = \"s.lua\"\n", "s.lua": chance})
	var first []byte
	for run := range runs {
		out := filepath.Join(dir, "out.pcapng")
		got := replay(t, c, in, out, 7)
		if first == nil {
			first = got
		}
		if !bytes.Equal(first, got) {
			t.Fatalf("run %d gives other bytes than the first: %d and %d", run+1, len(got), len(first))
		}
	}
	if other := replay(t, c, in, filepath.Join(dir, "other.pcapng"), 8); bytes.Equal(first, other) {
		t.Error("another seed gives the same bytes")
	}
	if len(first) < 300*60 {
		t.Errorf("only %d bytes left", len(first))
	}
}

// record writes a capture of n datagrams, 7 ms apart.
func record(t *testing.T, path string, n int) {
	t.Helper()
	w, err := pcapfile.Create(path, "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
			packet.UDP{Sport: uint16(1000 + i%17), Dport: 53}, packet.Payload("hello"))
		if err != nil {
			t.Fatal(err)
		}
		w.Observe(&engine.Event{Kind: engine.Sent, Device: "tun0", Packet: p, Time: time.Unix(1_700_000_000, int64(i)*7_000_000)})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func replay(t *testing.T, c *config.Config, in, out string, seed uint64) []byte {
	t.Helper()
	programs, err := setup.Scripts(c, setup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := c.Devices[0]
	d.Peer = []netip.Addr{netip.MustParseAddr("192.0.2.2")}
	dev, err := setup.Replay(d, setup.Capture{Path: in, Output: out})
	if err != nil {
		t.Fatal(err)
	}
	ec := setup.Engine(c, setup.Options{})
	ec.Seed, ec.Clock, ec.Programs = seed, engine.Virtual(time.Time{}), programs
	ec.Devices = []engine.DeviceConfig{{Device: dev, Forward: "tun0"}}
	eng, err := engine.New(ec)
	if err != nil {
		t.Fatal(err)
	}
	if err := eng.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := eng.Stats(); len(st.Errors) > 0 || st.Reasons["impair_loss"] == 0 {
		t.Fatalf("errors %v, reasons %v", st.Errors, st.Reasons)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
