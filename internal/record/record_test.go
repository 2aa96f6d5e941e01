package record_test

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/record"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// ticker sends a datagram every second and answers every packet, with a payload of
// chance.
func ticker(size int) engine.Program {
	return engine.ProgramFunc("ticker", func(s *engine.Scope) error {
		tell := func(port uint16) *packet.Packet {
			b := make([]byte, size)
			for i := range b {
				b[i] = byte(s.Rand().Uint32())
			}
			p, _ := s.Pool().Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.2"), Dst: netip.MustParseAddr("192.0.2.1")},
				packet.UDP{Sport: 9, Dport: port}, packet.Payload(b))
			return p
		}
		s.Every(time.Second, func() {
			p := tell(1)
			s.SetOut(p, "tun0")
			s.Send(p)
		})
		_, err := s.Handle(engine.Handler{Run: func(*packet.Packet) engine.Verdict { return engine.Replace(tell(2)) }})
		return err
	})
}

// run records three seconds of a program, with a packet in the middle of each.
func run(t *testing.T, p engine.Program) string {
	t.Helper()
	start := time.Unix(1_700_000_000, 0)
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0", Kind: tundev.TUN, Peer: []netip.Addr{netip.MustParseAddr("192.0.2.2")}})
	c := engine.Config{
		Seed: 7, Clock: engine.Virtual(start),
		Devices: []engine.DeviceConfig{{Device: dev}}, Programs: []engine.ProgramConfig{{Program: p}},
	}
	path := filepath.Join(t.TempDir(), "run.pcapng")
	w, err := pcapfile.Create(path, record.NoteOf(c, start).String())
	if err != nil {
		t.Fatal(err)
	}
	c.Observer = w
	eng, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ping, _ := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}, packet.ICMP{Type: packet.EchoRequest})
	for range 3 {
		eng.Advance(500 * time.Millisecond)
		wire.Write(ping.Bytes())
		eng.Advance(500 * time.Millisecond)
	}
	if err := errors.Join(eng.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// again runs a recording with a program and returns the difference.
func again(t *testing.T, path string, p engine.Program) (same int, err error) {
	t.Helper()
	r, err := record.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	devices, err := r.Devices(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	compare, err := r.Compare(stop)
	if err != nil {
		t.Fatal(err)
	}
	defer compare.Close()
	eng, err := engine.New(engine.Config{
		Seed: r.Seed(), Clock: r.Clock(), Devices: devices, Observer: compare,
		Programs: []engine.ProgramConfig{{Program: p}, {Program: r.Program()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := eng.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return compare.Same(), compare.Err()
}

func TestTheSame(t *testing.T) {
	if same, err := again(t, run(t, ticker(8)), ticker(8)); err != nil || same != 6 {
		t.Errorf("%d packets the same, %v, want 6", same, err)
	}
}

func TestDifferences(t *testing.T) {
	silent := engine.ProgramFunc("ticker", func(*engine.Scope) error { return nil })
	noisy := engine.ProgramFunc("ticker", func(s *engine.Scope) error {
		if err := ticker(8).Start(s); err != nil {
			return err
		}
		s.AfterLast(2900*time.Millisecond, func() {
			p, _ := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.2"), Dst: netip.MustParseAddr("192.0.2.1")}, packet.UDP{Dport: 3})
			s.SetOut(p, "tun0")
			for range 2 {
				s.Send(p.Clone())
			}
		})
		return nil
	})
	for _, tt := range []struct {
		name    string
		program engine.Program
		same    int
		want    record.Difference
	}{
		{"another length", ticker(9), 0, record.Difference{Count: 1}},
		{"nothing", silent, 0, record.Difference{Count: 1, Missing: 6}},
		{"more", noisy, 5, record.Difference{Count: 6}},
	} {
		same, err := again(t, run(t, ticker(8)), tt.program)
		d, ok := errors.AsType[*record.Difference](err)
		if !ok || same != tt.same || d.Device != "tun0" || d.Count != tt.want.Count || d.Missing != tt.want.Missing {
			t.Errorf("%s: %d the same, then %v", tt.name, same, err)
		}
	}
}

func TestWhatIsNoRecording(t *testing.T) {
	for note, want := range map[string]string{
		"":                         "it is no recording of a run",
		"tunscript run ":           "it is no recording of a run",
		`tunscript run {"seed":0}`: "it is no recording of a run",
		"of another program":       "it is no recording of a run",
	} {
		path := filepath.Join(t.TempDir(), "x.pcapng")
		w, err := pcapfile.Create(path, note)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		if _, err := record.Open(path); !errors.Is(err, record.ErrNoNote) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", note, err)
		}
	}
}
