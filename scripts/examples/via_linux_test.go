package examples_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/scripts/examples"
	"github.com/tunscript/tunscript/tundev"
)

const via = "Via: 1.1 tunscript\r\n"

// lossy drops after via.lua has seen a packet, so that it sees the same bytes again, cut in
// other places.
const lossy = `local n = 0 -- the fourth is the first with data
on{ "tcp", prio = 50, run = function(p)
  n = n + 1
  if n % 23 == 4 then return "drop", "lost" end
end }`

// A megabyte there and another back, between two kernels that know nothing of it: each end
// gets what the other has sent with one header more, by SHA-256, with super-packets and
// without, over a good link and a bad one.
func TestViaBetweenKernels(t *testing.T) {
	labtest.Require(t)
	for _, tt := range []struct {
		name    string
		offload tundev.Offload
		size    int
		other   string // a script behind via.lua
	}{
		{"offload", tundev.OffloadAuto, 8 << 20, ""},
		{"no offload", tundev.OffloadOff, 8 << 20, ""},
		{"offload, losses", tundev.OffloadAuto, 400_000, lossy},
		{"no offload, losses", tundev.OffloadOff, 400_000, lossy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newNeighbors(t, tt.offload)
			load := func(name, source string) engine.ProgramConfig {
				s, err := luabind.LoadString(name, source, luabind.Options{})
				if err != nil {
					t.Fatal(err)
				}
				return engine.ProgramConfig{Program: s}
			}
			source, err := examples.Files.ReadFile("via.lua")
			if err != nil {
				t.Fatal(err)
			}
			programs := []engine.ProgramConfig{load("via.lua", string(source))}
			if tt.other != "" {
				programs = append(programs, load("lossy.lua", tt.other))
			}
			stats := n.start(t, programs)
			for _, to := range []string{"192.0.2.2", "2001:db8::2"} {
				request := message("PUT /thing HTTP/1.1\r\n", "Host: a\r\n\r\n", tt.size)
				answer := message("HTTP/1.1 200 OK\r\n", "Server: b\r\n\r\n", tt.size)
				began := time.Now()
				asked, answered, err := n.exchange(netip.AddrPortFrom(netip.MustParseAddr(to), 80), request, answer)
				if err != nil {
					t.Fatalf("%s: %v", to, err)
				}
				same(t, to+": the request", asked, request)
				same(t, to+": the answer", answered, answer)
				t.Logf("%s: %d bytes each way in %v", to, tt.size, time.Since(began).Round(time.Millisecond))
			}
			t.Log(stats())
		})
	}
}

// A text is a message in two parts, between which the header belongs.
type text struct{ first, rest []byte }

func message(first, next string, size int) text {
	body := make([]byte, size)
	rand.NewChaCha8([32]byte{byte(size), first[0]}).Read(body)
	return text{[]byte(first), append([]byte(next), body...)}
}

func same(t *testing.T, what string, got []byte, sent text) {
	t.Helper()
	want := bytes.Join([][]byte{sent.first, []byte(via), sent.rest}, nil)
	if sha256.Sum256(got) != sha256.Sum256(want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("%s: %d bytes, want %d, the same up to byte %d: ...%q", what, len(got), len(want), at, got[max(0, at-40):min(len(got), at+40)])
	}
}

// neighbors are two hosts and the devices by which they see each other.
type neighbors struct {
	hosts [2]*lab.Namespace
	devs  [2]*tundev.Device
}

func newNeighbors(t *testing.T, offload tundev.Offload) *neighbors {
	t.Helper()
	n := &neighbors{}
	for i := range n.hosts {
		n.hosts[i] = labtest.Namespace(t)
		c := tundev.Config{
			Name: fmt.Sprint("tun", i), Offload: offload,
			Address: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("192.0.2.%d/24", 1+i)), netip.MustParsePrefix(fmt.Sprintf("2001:db8::%d/64", 1+i))},
		}
		if err := n.hosts[i].Do(func() (err error) { n.devs[i], err = tundev.Open(c); return err }); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// start runs an engine between them until the test ends.
func (n *neighbors) start(t *testing.T, programs []engine.ProgramConfig) (stats func() string) {
	t.Helper()
	eng, err := engine.New(engine.Config{
		Log:      slog.New(slog.DiscardHandler),
		Devices:  []engine.DeviceConfig{{Device: n.devs[0], Forward: "tun1"}, {Device: n.devs[1], Forward: "tun0"}},
		Programs: programs,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- eng.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func() string {
		st := eng.Stats()
		return fmt.Sprintf("failures %v, reasons %v, devices %+v", st.Failures, st.Reasons, st.Devices)
	}
}

// exchange has the first host send a request to the second, which answers when it has all
// of it, and returns what each of them got.
func (n *neighbors) exchange(at netip.AddrPort, request, answer text) (asked, answered []byte, err error) {
	var l net.Listener
	if err := n.hosts[1].Do(func() (err error) { l, err = net.Listen("tcp", at.String()); return err }); err != nil {
		return nil, nil, err
	}
	defer l.Close()
	const patience = 60 * time.Second
	l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	served := make(chan error, 1)
	go func() {
		served <- func() error {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(patience))
			if asked, err = io.ReadAll(c); err != nil {
				return err
			}
			_, err = c.Write(bytes.Join([][]byte{answer.first, answer.rest}, nil))
			return err
		}()
	}()
	var c net.Conn
	err = n.hosts[0].Do(func() (err error) {
		c, err = (&net.Dialer{Timeout: patience}).Dial("tcp", at.String())
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err = c.Write(bytes.Join([][]byte{request.first, request.rest}, nil)); err == nil {
		err = c.(*net.TCPConn).CloseWrite()
	}
	if err == nil {
		answered, err = io.ReadAll(c)
	}
	if serr := <-served; err == nil {
		err = serr
	}
	return asked, answered, err
}
