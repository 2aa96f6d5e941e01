package engine_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

// played is a device that gives its packets once, as they are, super-packets and
// unfinished checksums included, and keeps what it is given.
type played struct {
	name string
	mtu  int // 0: 1500
	in   []*packet.Packet
	out  []*packet.Packet
}

func (d *played) Info() engine.Info {
	return engine.Info{Name: d.name, MTU: cmp.Or(d.mtu, 1500)}
}
func (d *played) Attach(engine.Env) ([]engine.Queue, error) { return []engine.Queue{d}, nil }
func (d *played) Detach()                                   {}
func (d *played) Close() error                              { return nil }
func (d *played) FD() int                                   { return -1 }
func (d *played) Read(ps []*packet.Packet, pool *packet.Pool) (n int, err error) {
	if len(d.in) == 0 {
		return 0, io.EOF
	}
	for ; n < len(ps) && len(d.in) > 0; n++ {
		ps[n] = pool.Get(d.in[0].Len())
		if err := ps[n].Set(d.in[0].Frame(), packet.IP); err != nil {
			return n, err
		}
		ps[n].SetPartial()
		ps[n].SetGSO(d.in[0].GSO())
		d.in = d.in[1:]
	}
	return n, nil
}

func (d *played) Write(ps []*packet.Packet, _ func(*packet.Packet, engine.Reason)) error {
	for _, p := range ps {
		d.out = append(d.out, p.Clone())
	}
	return nil
}

// taking is one that takes super-packets.
type taking struct{ *played }

func (d taking) Attach(engine.Env) ([]engine.Queue, error) { return []engine.Queue{d}, nil }
func (d taking) Join() (tcp, udp bool)                     { return true, true }

// streams are super-packets of some flows.
func streams(t testing.TB, r *rand.Rand) (all []*packet.Packet) {
	seq, id := [3]uint32{}, uint16(r.Uint32())
	for range 1 + r.IntN(20) {
		f := r.IntN(3)
		data := make(packet.Payload, 1+r.IntN(20_000))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		flags := packet.ACK
		if r.IntN(3) == 0 {
			flags |= packet.PSH
		}
		var l packet.Layer = packet.TCP{Sport: 4000 + uint16(f), Dport: 80, Seq: seq[f], Flags: flags, Window: 9}
		g := packet.GSO{Type: offload.TCPv4, Size: 1000}
		if f == 2 {
			l, g.Type = packet.UDP{Sport: 4000, Dport: 443}, offload.UDP
		}
		p, err := packet.Build(packet.IPv4{Src: host, Dst: peer, ID: id}, l, data)
		if err != nil {
			t.Fatal(err)
		}
		seq[f] += uint32(len(data))
		id += uint16(len(data)/1000 + 1)
		if len(data) > 1000 {
			p.SetGSO(g)
		}
		p.Unfinish()
		all = append(all, p)
	}
	return all
}

// cut is what ps are on the wire.
func cut(t testing.TB, ps []*packet.Packet) (all []*packet.Packet) {
	var w offload.Walker
	for _, p := range ps {
		if p.GSO().Size == 0 {
			all = append(all, p)
			continue
		}
		var err error
		if all, err = w.Split(all, p); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// programs makes some at random, the same for the same seed.
func programs(seed uint64, seen *int) (list []engine.ProgramConfig) {
	r := rand.New(rand.NewPCG(seed, 1))
	filters := []string{"", "tcp", "udp", "port 4001", "greater 1030", "less 900", "tcp[tcpflags] & tcp-push != 0", "icmp", "tcp[24] < 100"}
	for i := range r.IntN(3) {
		list = append(list, engine.ProgramConfig{Program: engine.ProgramFunc(fmt.Sprint("p", i), func(s *engine.Scope) error {
			for range 1 + r.IntN(3) {
				n, what, every := 0, r.IntN(10), 1+r.IntN(12)
				h := engine.Handler{Filter: filters[r.IntN(len(filters))], Prio: r.IntN(3)}
				h.Run = func(p *packet.Packet) engine.Verdict {
					*seen++
					if n++; n%every != 0 {
						return engine.Pass()
					}
					ip, _ := p.IP()
					switch what {
					case 0:
						ip.SetTTL(9)
					case 1:
						return engine.Drop("")
					case 2:
						p.SetPayload(append(bytes.Clone(p.Payload()), "more"...))
					case 3:
						s.Send(p)
					case 4:
						return engine.Replace(p.Clone(), p)
					case 5:
						return engine.Accept()
					case 6:
						if f, ok := s.Flow(p); ok {
							f.Bypass(flow.Pass)
						}
					case 7:
						if f, ok := s.Flow(p); ok {
							port := uint16(7777)
							f.Rewrite(flow.Rewrite{Dport: port})
						}
					case 8:
						s.Await(engine.Await{Filter: "tcp", Run: func(q *packet.Packet) {
							if q != nil {
								s.Send(q)
							}
						}})
					case 9:
						s.SetOut(p, "tun0")
					}
					return engine.Pass()
				}
				if _, err := s.Handle(h); err != nil {
					return err
				}
			}
			return nil
		})})
	}
	return list
}

// Whatever programs do, what leaves is what would if the kernel had cut super-packets
// up before, and they have seen the same packets.
func TestSuperPacketsAreOrdinaryOnes(t *testing.T) {
	cases := uint64(2000)
	if testing.Short() {
		cases = 200
	}
	fewer := 0
	for seed := range cases {
		in := streams(t, rand.New(rand.NewPCG(seed, 2)))
		run := func(ps []*packet.Packet, takes bool) (out [2][]*packet.Packet, seen int, stats engine.Stats) {
			devs := [2]*played{{name: "tun0", in: ps}, {name: "tun1", mtu: []int{1500, 1040, 700}[seed%3]}}
			c := engine.Config{Seed: 1, Programs: programs(seed, &seen), Clock: engine.Virtual(time.Unix(1000, 0)), Log: slog.New(slog.DiscardHandler)}
			for i, d := range devs {
				dc := engine.DeviceConfig{Device: d, Forward: devs[1-i].name}
				if takes {
					dc.Device = taking{d}
				}
				c.Devices = append(c.Devices, dc)
			}
			eng, err := engine.New(c)
			if err != nil {
				t.Fatal(err)
			}
			if err := eng.Advance(time.Second); err != nil {
				t.Fatal(err)
			}
			stats = eng.Stats()
			eng.Close()
			return [2][]*packet.Packet{devs[0].out, devs[1].out}, seen, stats
		}
		want, wantSeen, wantStats := run(cut(t, in), false)
		for _, takes := range []bool{true, false} {
			got, seen, stats := run(in, takes)
			if seen != wantSeen {
				t.Fatalf("seed %d: handlers have seen %d packets, want %d", seed, seen, wantSeen)
			}
			if a, b := stats.Verdicts, wantStats.Verdicts; fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("seed %d: verdicts %v, want %v", seed, a, b)
			}
			for i := range got {
				if a, b := stats.Devices[fmt.Sprint("tun", i)].Sent, wantStats.Devices[fmt.Sprint("tun", i)].Sent; a != b {
					t.Errorf("seed %d, takes %v: device %d sent %d, want %d", seed, takes, i, a, b)
				}
				all := cut(t, got[i])
				fewer += len(want[i]) - len(got[i])
				for k := range min(len(all), len(want[i])) {
					if a, b := all[k].Bytes(), want[i][k].Bytes(); !bytes.Equal(a, b) {
						t.Fatalf("seed %d, takes %v, device %d, packet %d is\n%v, want\n%v", seed, takes, i, k, all[k], want[i][k])
					}
				}
				if len(all) != len(want[i]) {
					t.Fatalf("seed %d, takes %v, device %d: %d packets, want %d", seed, takes, i, len(all), len(want[i]))
				}
				if !takes && len(all) != len(got[i]) {
					t.Fatalf("seed %d: a device that takes none got a super-packet", seed)
				}
			}
		}
	}
	if fewer == 0 {
		t.Error("nothing was joined or left whole")
	}
}

// Only a handler that says so sees one whole, and up to the first that does not.
func TestWhoSeesASuperPacketWhole(t *testing.T) {
	in := streams(t, rand.New(rand.NewPCG(5, 5)))
	for _, tt := range []struct {
		name   string
		super  bool
		filter string
		whole  bool
	}{
		{"nobody wants it", false, "icmp", true},
		{"a super handler", true, "", true},
		{"an ordinary handler of another port", false, "port 1", true},
		{"an ordinary handler", false, "", false},
	} {
		d := &played{name: "tun0", in: in}
		counts := [2]int{}
		c := engine.Config{Devices: []engine.DeviceConfig{{Device: taking{d}, Forward: "tun0"}}, Programs: []engine.ProgramConfig{{
			Program: engine.ProgramFunc("test", func(s *engine.Scope) error {
				_, err := s.Handle(engine.Handler{Prio: -1, Super: true, Run: func(p *packet.Packet) engine.Verdict {
					counts[0] += p.Segments()
					return engine.Pass()
				}})
				if err != nil {
					return err
				}
				_, err = s.Handle(engine.Handler{Super: tt.super, Filter: tt.filter, Run: func(p *packet.Packet) engine.Verdict {
					counts[1]++
					return engine.Pass()
				}})
				return err
			})}}, Clock: engine.Virtual(time.Unix(1000, 0))}
		eng, err := engine.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := eng.Advance(time.Second); err != nil {
			t.Fatal(err)
		}
		eng.Close()
		segments := len(cut(t, in))
		want := map[bool]int{true: len(in), false: segments}[tt.whole]
		if tt.filter != "" {
			want = 0
		}
		if counts != [2]int{segments, want} || len(d.out) > len(in) {
			t.Errorf("%s: seen %v, want %d and %d; %d left of %d", tt.name, counts, segments, want, len(d.out), len(in))
		}
	}
}

// Bad lengths are dropped and counted; faults are about packets on the wire.
func TestBadSuperPacketsAndFaults(t *testing.T) {
	bad := udp(t, 7, "hello")
	bad.SetGSO(packet.GSO{Type: offload.TCPv4, Size: 100})
	in := append([]*packet.Packet{bad}, streams(t, rand.New(rand.NewPCG(6, 6)))...)
	d := &played{name: "tun0", in: in}
	c := engine.Config{Seed: 1, Clock: engine.Virtual(time.Unix(1000, 0)),
		Devices: []engine.DeviceConfig{{Device: taking{d}, Forward: "tun0"}},
		Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("test", func(s *engine.Scope) error {
			_, err := s.Impair(engine.ImpairConfig{Options: impair.Options{Loss: 0.5}})
			return err
		})}}}
	eng, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := eng.Advance(time.Second); err != nil {
		t.Fatal(err)
	}
	s := eng.Stats()
	eng.Close()
	n := len(cut(t, in[1:]))
	if s.Reasons[engine.ReasonMalformed] != 1 {
		t.Errorf("%v, want one malformed", s.Reasons)
	}
	if sent := int(s.Devices["tun0"].Sent); sent < n*3/10 || sent > n*7/10 {
		t.Errorf("of %d packets %d were sent, want about half", n, sent)
	}
}
