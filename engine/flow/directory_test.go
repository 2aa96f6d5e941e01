package flow_test

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// several are tables that share a directory.
type several struct {
	testing.TB
	dir    *flow.Directory
	tables []*flow.Table
	now    time.Time
}

func newSeveral(tb testing.TB, n, limit int) *several {
	s := &several{TB: tb, dir: flow.NewDirectory(rand.NewPCG(1, 2)), now: start}
	for i := range n {
		s.tables = append(s.tables, flow.New(flow.Config{Limit: limit, Directory: s.dir, Number: i, Rand: rand.NewPCG(3, uint64(i))}))
	}
	return s
}

// belongs wants p, which the table at reads, to belong to the table want.
func (s *several) belongs(p *packet.Packet, at, want int) flow.Flow {
	s.Helper()
	f, _, who := s.tables[at].Claim(p, s.now, false)
	if who != want {
		s.Errorf("table %d says that %v belongs to %d, want %d", at, p, who, want)
	}
	if who != at {
		f, _, who = s.tables[want].Claim(p, s.now, false)
		if who != want {
			s.Errorf("table %d says that %v belongs to %d", want, p, who)
		}
	}
	if err := flow.CheckShared(s.dir, s.tables); err != nil {
		s.Error(err)
	}
	return f
}

// Who meets a flow first has it, in both directions, until it ends there; then it is the next
// one's.
func TestAFlowBelongsToWhoMeetsItFirst(t *testing.T) {
	s := newSeveral(t, 3, 0)
	ask, answer := udp(t, host, 4000, server, 53, "?"), udp(t, server, 53, host, 4000, "!")
	s.belongs(ask, 1, 1)
	s.belongs(answer, 0, 1)
	s.belongs(ask, 2, 1)
	s.belongs(udp(t, host, 4001, server, 53, "?"), 2, 2)
	s.now = s.now.Add(time.Hour)
	if n := s.tables[1].Expire(s.now, 10); n != 1 {
		t.Errorf("%d flows expired", n)
	}
	s.belongs(answer, 0, 0)
	s.belongs(ask, 1, 0)
}

// A rewritten flow is known by what answers it, too, and nobody else may look like it; when it
// ends both are free.
func TestARewrittenFlowBelongsByBothKeys(t *testing.T) {
	s := newSeveral(t, 2, 0)
	out := udp(t, host, 4000, server, 53, "?")
	f := s.tables[1].Ask(s.belongs(out, 1, 1), out)
	if err := f.Rewrite(gate, flow.Rewrite{Src: public}); err != nil {
		t.Fatal(err)
	}
	s.tables[1].Settle(f, true, 1, 2)
	answer := udp(t, server, 53, public, 4000, "!")
	s.belongs(answer, 0, 1)
	s.belongs(reported(t, router, udp(t, public, 4000, server, 53, "?")), 0, 1)

	other := udp(t, other, 4000, server, 53, "?")
	g := s.tables[0].Ask(s.belongs(other, 0, 0), other)
	if err := g.Rewrite(gate, flow.Rewrite{Src: public}); err != flow.ErrTaken {
		t.Errorf("another flow may look like it: %v", err)
	}
	if err := g.Rewrite(gate, flow.Rewrite{Src: public, FreeSport: true}); err != nil {
		t.Fatal(err)
	}
	s.tables[0].Settle(g, true, 1, 2)
	g.Apply(other)
	if v, _ := other.UDP(); v.Sport() == 4000 {
		t.Errorf("the free port is %d, which table 1 leaves with", v.Sport())
	}
	s.tables[1].Forget(gate)
	s.belongs(answer, 0, 0)
}

// A rule that counts for nothing gives back the key that it took.
func TestARewriteThatIsTakenBack(t *testing.T) {
	s := newSeveral(t, 2, 0)
	out := udp(t, host, 4000, server, 53, "?")
	f := s.tables[1].Ask(s.belongs(out, 1, 1), out)
	if err := f.Rewrite(gate, flow.Rewrite{Src: public}); err != nil {
		t.Fatal(err)
	}
	s.tables[1].Settle(f, false, 1, 2)
	s.belongs(udp(t, server, 53, public, 4000, "!"), 0, 0)
	s.belongs(udp(t, server, 53, host, 4000, "!"), 0, 1)
}

// What has no ports, or no flow, belongs to who has met the datagram, the flow that it is
// about, or the addresses.
func TestWhatHasNoPorts(t *testing.T) {
	s := newSeveral(t, 3, 0)
	s.belongs(udp(t, host, 4000, server, 53, "?"), 1, 1)
	s.belongs(reported(t, router, udp(t, host, 4000, server, 53, "?")), 2, 1)
	s.belongs(reported(t, router, udp(t, host, 4009, server, 53, "?")), 2, 2) // nobody's

	ps := fragments(t, udp(t, host, 4000, server, 53, "more than one fragment has room for"), 16)
	s.belongs(ps[0], 0, 1)
	s.belongs(ps[1], 0, 1)
	s.belongs(ps[2], 2, 1)

	arp := func(op uint16, from, to netip.Addr) *packet.Packet {
		return build(t, packet.Eth{}, packet.ARP{Op: op, SPA: from, TPA: to})
	}
	s.belongs(arp(packet.ARPRequest, host, other), 2, 2)
	s.belongs(arp(packet.ARPReply, other, host), 0, 2)
	solicit := build(t, packet.IPv6{Src: host6, Dst: netip.MustParseAddr("ff02::1:ff00:80")}, packet.ICMPv6{Type: packet.NeighborSolicit, Target: server6})
	advert := build(t, packet.IPv6{Src: server6, Dst: host6}, packet.ICMPv6{Type: packet.NeighborAdvert, Target: server6})
	s.belongs(solicit, 2, 2)
	s.belongs(advert, 1, 2)
}

// Fragments that are to be joined come together, also when the first one comes last.
func TestFragmentsThatAreJoinedBelongTogether(t *testing.T) {
	s := newSeveral(t, 3, 0)
	s.belongs(udp(t, host, 4000, server, 53, "?"), 1, 1)
	ps := fragments(t, udp(t, host, 4000, server, 53, "more than one fragment has room for"), 16)
	for _, i := range []int{1, 2, 0} {
		if _, _, who := s.tables[2].Claim(ps[i], s.now, true); who != 2 {
			t.Errorf("fragment %d belongs to %d", i, who)
		}
	}
	for _, i := range []int{0, 1, 2} { // of another datagram
		p := ps[i].Clone()
		v, _ := p.IP()
		v.SetID(99)
		if _, _, who := s.tables[2].Claim(p, s.now, true); who != 1 {
			t.Errorf("fragment %d, in order, belongs to %d", i, who)
		}
	}
}

// What leaves belongs to who sends it, and so does what answers it; it is no sign of life.
func TestWhatLeavesIsOwned(t *testing.T) {
	s := newSeveral(t, 2, 0)
	out := udp(t, host, 4000, server, 53, "?")
	if who := s.tables[1].Own(flow.Flow{}, out, s.now); who != 1 {
		t.Errorf("it belongs to %d", who)
	}
	if who := s.tables[0].Own(flow.Flow{}, out, s.now); who != 1 {
		t.Errorf("sent by the other, it belongs to %d", who)
	}
	f := s.belongs(udp(t, server, 53, host, 4000, "!"), 0, 1)
	if f.Dir() != flow.Back {
		t.Errorf("the answer travels %v", f.Dir())
	}
}

// A single table and several of which any may read a packet tell the same of every flow that
// is asked for: its direction, and what is kept with it.
func TestSeveralTablesAreLikeOne(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 5))
	one := newWorld(t, 1000)
	a := &act{world: one, dice: dice.IntN}
	s := newSeveral(t, 4, 1000)
	asked := 0
	for n := range 20_000 {
		p := a.packet()
		if p.Layout().Fragment() { // several know those whose first one nobody has asked about
			continue
		}
		one.now = one.now.Add(time.Duration(dice.IntN(30)) * time.Second)
		s.now = one.now
		at := dice.IntN(4)
		_, found, who := s.tables[at].Claim(p, s.now, false)
		if who != at {
			_, found, who = s.tables[who].Claim(p, s.now, false)
		}
		one.Find(p, one.now)
		if dice.IntN(3) > 0 {
			continue
		}
		asked++
		f, ok := one.Get(p, one.now)
		g, ok2 := s.tables[who].Get(p, s.now)
		if ok != ok2 || found && !ok {
			t.Fatalf("%v: one says %v, several %v and %v", p, ok, ok2, found)
		}
		if !ok {
			continue
		}
		if f.Dir() != g.Dir() || f.Value(gate) != g.Value(gate) {
			t.Fatalf("packet %d, %v: one says %v %v, several %v %v", n, p, f.Dir(), f.Value(gate), g.Dir(), g.Value(gate))
		}
		f.SetValue(gate, n)
		g.SetValue(gate, n)
	}
	if err := flow.CheckShared(s.dir, s.tables); err != nil {
		t.Error(err)
	}
	if made := one.Stats().Made; made < 100 || asked < 1000 {
		t.Errorf("a dull story: %d flows, asked %d times", made, asked)
	}
}

// FuzzDirectory has chance decide who reads what, about rules and time: what holds of tables
// that share a directory holds after each step.
func FuzzDirectory(f *testing.F) {
	for i := range uint64(20) {
		f.Add(i, 5, []byte{0x45, 0, 0, 28})
	}
	f.Fuzz(func(t *testing.T, seed uint64, limit int, wild []byte) {
		dice := rand.New(rand.NewPCG(seed, 0))
		s := newSeveral(t, 3, 1+int(uint(limit)%20))
		a := &act{dice: dice.IntN, wild: wild}
		for range 300 {
			a.world = &world{t, nil, s.now}
			p := a.packet()
			at := dice.IntN(3)
			if dice.IntN(4) == 0 {
				s.tables[at].Own(flow.Flow{}, p, s.now)
			}
			for range 5 {
				_, _, who := s.tables[at].Claim(p, s.now, dice.IntN(2) == 0)
				if who == at {
					break
				}
				at = who
			}
			a.world = &world{t, s.tables[at], s.now}
			a.step()
			s.now = a.now
			if err := flow.CheckShared(s.dir, s.tables); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Tables at work at the same time agree about every packet.
func TestTablesAtTheSameTime(t *testing.T) {
	s := newSeveral(t, 4, 0)
	var mu sync.Mutex
	owners := map[uint16]int{}
	var wg sync.WaitGroup
	for at, table := range s.tables {
		ps := map[uint16]*packet.Packet{}
		for port := range uint16(500) {
			ps[port] = udp(t, host, 1000+port, server, 53, "?")
		}
		wg.Go(func() {
			for port, p := range ps {
				_, _, who := table.Claim(p, start, false)
				mu.Lock()
				if has, ok := owners[port]; ok && has != who {
					t.Errorf("table %d says that %d belongs to %d, another said %d", at, port, who, has)
				}
				owners[port] = who
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := flow.CheckShared(s.dir, s.tables); err != nil {
		t.Error(err)
	}
}

// BenchmarkClaim is what it costs to know whose a packet is, for an owner.
func BenchmarkClaim(b *testing.B) {
	s := newSeveral(b, 4, 0)
	p := udp(b, host, 4000, server, 53, "?")
	b.ReportAllocs()
	for b.Loop() {
		s.tables[1].Claim(p, s.now, false)
	}
}
