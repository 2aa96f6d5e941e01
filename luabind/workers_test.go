package luabind_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// What a script is with several workers: a state in each, in which all packets of a flow
// are met; shared dictionaries for all; and tasks whose answers come to who asked.
const severalWorkers = `
local mine = {}                       -- this worker's
on("udp and dst port 7", function(p)
  local key = p.udp.sport
  mine[key] = (mine[key] or 0) + 1
  shared.all:incr(tostring(key))
  if not p.flow.worker then p.flow.worker = worker end
  assert(p.flow.worker == worker, "another worker's flow")
  return p:reply{ payload = worker .. " " .. mine[key] .. " " .. p.payload }
end)

on("udp and dst port 8", function(p) -- the total that all workers have counted
  local sum = 0
  for _, k in ipairs(shared.all:keys()) do sum = sum + shared.all:get(k) end
  return p:reply{ payload = "sum " .. sum }
end)

spawn(function()
  local a = sr(ip{ dst = "192.0.2.1" }/udp{ sport = 5000 + worker, dport = 9 }/"who", 5)
  shared.asked:set("worker " .. worker, a and a.payload or "nobody")
end)
`

func TestAScriptWithSeveralWorkers(t *testing.T) {
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0", Queues: 4,
		Address: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}, Peer: []netip.Addr{netip.MustParseAddr("192.0.2.2")}})
	var mu sync.Mutex
	var said []string
	script, err := luabind.LoadString("s.lua", severalWorkers, luabind.Options{Log: func(_ luabind.Level, _, text string) {
		mu.Lock()
		said = append(said, text)
		mu.Unlock()
	}})
	if err != nil {
		t.Fatal(err)
	}
	eng, err := engine.New(engine.Config{Workers: 4, Devices: []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: script, Shared: []string{"asked"}}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- eng.Run(ctx) }()

	const ports, each = 40, 25
	answers := map[string]int{} // by port and worker
	sum := ""
	asked := 0
	buf := make([]byte, 2048)
	// read takes one packet, and answers those that ask who is there.
	read := func() {
		n, err := wire.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := packet.Parse(buf[:n], packet.IP)
		u, _ := p.UDP()
		switch {
		case u.Dport() == 9:
			asked++
			a := p.Reply()
			a.SetPayload([]byte(fmt.Sprint("you, ", u.Sport()-5000)))
			if _, err := wire.Write(a.Bytes()); err != nil {
				t.Fatal(err)
			}
		case u.Sport() == 8:
			sum = string(p.Payload())
		default:
			worker, _, _ := strings.Cut(string(p.Payload()), " ")
			answers[fmt.Sprint(u.Dport(), " by ", worker)]++
		}
	}
	send := func(sport, dport uint16, payload string) {
		p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
			packet.UDP{Sport: sport, Dport: dport}, packet.Payload(payload))
		if err == nil {
			_, err = wire.Write(p.Bytes())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	got := func() (n int) {
		for _, k := range answers {
			n += k
		}
		return n
	}
	for i := range each {
		for port := range uint16(ports) {
			send(1000+port, 7, fmt.Sprint(i))
		}
		for got() < (i+1)*ports {
			read()
		}
	}
	if len(answers) != ports {
		t.Errorf("%d ports were answered by %d workers", ports, len(answers))
	}
	for asked < 4 {
		read()
	}
	for send(999, 8, ""); sum == ""; {
		read()
	}
	if want := fmt.Sprint("sum ", ports*each); sum != want {
		t.Errorf("%q, want %q", sum, want)
	}
	for i := 1; i <= 4; i++ {
		heard := ""
		for end := time.Now().Add(10 * time.Second); heard == "" && time.Now().Before(end); time.Sleep(time.Millisecond) {
			if err := eng.Do(i, script, func(s *engine.Scope) {
				d, err := s.Shared("asked")
				if err != nil {
					t.Error(err)
					return
				}
				v, _ := d.Get(s.Now(), fmt.Sprint("worker ", i))
				heard, _ = v.Text()
			}); err != nil {
				t.Fatal(err)
			}
		}
		if want := fmt.Sprint("you, ", i); heard != want {
			t.Errorf("worker %d asked and heard %q, want %q", i, heard, want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if s := eng.Stats(); len(s.Errors) > 0 {
		t.Errorf("%v: %q", s.Errors, said)
	}
}
