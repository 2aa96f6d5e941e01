package luabind_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

func TestEcho(t *testing.T) {
	script, err := luabind.LoadString("echo.lua", `on("icmp[icmptype] == icmp-echo", function(p) return p:reply() end)`, luabind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0", Kind: tundev.TUN})
	defer wire.Close()
	eng, err := engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: script}},
		Observer: engine.ObserverFunc(func(e *engine.Event) { t.Log(e.Kind, e.Device, e.Handler, e.Reason, e.Packet, e.Err) }),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- eng.Run(ctx) }()
	ping, err := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.ICMP{Type: packet.EchoRequest, ID: 1, Seq: 1},
		packet.Payload("hello"),
	)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wire.Write(ping.Bytes()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	n, err := wire.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("% x", buf[:n])
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
