package luabind_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// A script answers a ping, on a device in memory and a clock that stands still.
func Example() {
	script, err := luabind.LoadString("ping.lua", `
		on("icmp[icmptype] == icmp-echo", function(p)
			return p:reply()
		end)`, luabind.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	dev, wire := tundev.Pipe(tundev.Config{Kind: tundev.TUN})
	eng, err := engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: script}},
		Clock:    engine.Virtual(time.Unix(0, 0)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer eng.Close()

	ping, _ := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.ICMP{Type: packet.EchoRequest, ID: 1, Seq: 1})
	wire.Write(ping.Bytes())
	eng.Advance(0)

	buf := make([]byte, 1500)
	n, _ := wire.Read(buf)
	answer, _ := packet.Parse(buf[:n], packet.IP)
	fmt.Println(answer)
	// Output: IP 192.0.2.2 > 192.0.2.1: ICMP echo reply, id 1, seq 1, length 8
}

// A mistake is told with its line and what was probably meant.
func ExampleScriptError() {
	script, _ := luabind.LoadString("gate.lua", "on(\"tcp\", function(p)\n  p.tcp.destport = 80\nend)", luabind.Options{})
	dev, wire := tundev.Pipe(tundev.Config{Kind: tundev.TUN})
	eng, _ := engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: script}},
		Clock:    engine.Virtual(time.Unix(0, 0)),
		Observer: engine.ObserverFunc(func(e *engine.Event) {
			if e.Kind == engine.Failed {
				fmt.Println(e.Err)
			}
		}),
	})
	defer eng.Close()
	syn, _ := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.TCP{Sport: 4000, Dport: 8080, Flags: packet.SYN})
	wire.Write(syn.Bytes())
	eng.Advance(0)
	// Output: gate.lua:2: tcp has no "destport"; did you mean "dport"?
}
