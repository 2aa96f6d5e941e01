package control

import (
	"context"
	"io"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/reload"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// A rig is a run with a socket: one device in memory, one script.
type rig struct {
	t      *testing.T
	host   Host
	path   string
	server *Server
	near   io.ReadWriteCloser // the host's side of the device
	source string             // of the script; loaded again by a reload
	tell   map[string]string  // its options
}

const echo = `local n = option("n", { default = 1, min = 0, max = 9 })
hits = 0
on("udp port 7", function(p) hits = hits + 1; return "drop", "seen" end)
on{ "udp port 9", name = "fails", run = function(p) error("no") end }`

// newRig runs source until the test ends.
func newRig(t *testing.T, source string) *rig { t.Helper(); return newRigOf(t, source, 1) }

// newRigOf has so many workers, each with a queue of the device.
func newRigOf(t *testing.T, source string, workers int) *rig {
	t.Helper()
	r := &rig{t: t, source: source, tell: map[string]string{}}
	dev, near := tundev.Pipe(tundev.Config{Name: "tun0", Queues: workers})
	r.near = near
	script := r.load(t)
	eng, err := engine.New(engine.Config{
		Workers:  workers,
		Devices:  []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: script}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.host = Host{
		Engine: eng, Stop: stop,
		Scripts: reload.New(eng, []engine.Program{script}, func(int) (engine.Program, error) {
			return luabind.LoadString("gate.lua", r.source, r.options())
		}),
		Set: func(key, value string) (string, func(), error) {
			old, had := r.tell[key]
			r.tell[key] = value
			return "gate", func() {
				if r.tell[key] = old; !had {
					delete(r.tell, key)
				}
			}, nil
		},
	}
	ran := make(chan error, 1)
	go func() { ran <- eng.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	r.path = filepath.Join(t.TempDir(), "ctl")
	if r.server, err = Listen(r.path, r.host); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.server.Close() })
	eventually(t, "it runs", func() bool { return eng.Do(1, script, func(*engine.Scope) {}) == nil })
	r.server.Start()
	return r
}

func (r *rig) options() luabind.Options {
	return luabind.Options{Name: "gate", Option: func(o luabind.Option) (any, bool) {
		v, ok := r.tell[o.Name]
		return luabind.Text(v), ok
	}}
}

func (r *rig) load(t *testing.T) *luabind.Script {
	t.Helper()
	s, err := luabind.LoadString("gate.lua", r.source, r.options())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *rig) dial() *Client {
	r.t.Helper()
	c, err := Dial(r.t.Context(), r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	return c
}

// udp sends a datagram to the script.
func (r *rig) udp(port uint16) { r.t.Helper(); r.datagram(port, nil) }

func (r *rig) datagram(port uint16, payload []byte) {
	r.t.Helper()
	p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}, packet.UDP{Sport: 4000, Dport: port}, packet.Payload(payload))
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.near.Write(p.Bytes()); err != nil {
		r.t.Fatal(err)
	}
}
