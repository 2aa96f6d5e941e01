package bench

import (
	"context"
	"io"
	"runtime"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// deviceName is what the device is called in a lab.
func deviceName(link packet.LinkType) string {
	if link == packet.Ethernet {
		return "tap0"
	}
	return "tun0"
}

// measure runs the programs for a round.
func measure(ctx context.Context, opt Options, programs []engine.ProgramConfig) (Cost, engine.Stats, error) {
	round := opt.Round
	if round <= 0 {
		round = defaultRound
	}
	src := &source{packets: opt.Packets, warm: round / 5, round: round}
	c := opt.Config
	c.Wait = engine.Prompt
	c.Devices = []engine.DeviceConfig{{Device: src, Forward: deviceName(src.packets[0].Link())}}
	c.Programs = programs
	eng, err := engine.New(c)
	if err != nil {
		return Cost{}, engine.Stats{}, err
	}
	if err := eng.Run(ctx); err != nil {
		return Cost{}, engine.Stats{}, err
	}
	return src.cost(), eng.Stats(), nil
}

// filtersOf is a program with the script's filters and nothing behind them: what the
// handlers are is known once the script has started.
func filtersOf(opt Options) (engine.Program, error) {
	src := &source{packets: opt.Packets, ended: true}
	c := opt.Config
	c.Clock = engine.Virtual(time.Unix(0, 0))
	c.Devices = []engine.DeviceConfig{{Device: src, Forward: deviceName(src.packets[0].Link())}}
	eng, err := engine.New(c)
	if err != nil {
		return nil, err
	}
	defer eng.Close()
	if err := eng.Advance(0); err != nil {
		return nil, err
	}
	handlers := eng.Stats().Handlers
	return engine.ProgramFunc("filters", func(s *engine.Scope) error {
		for _, h := range handlers {
			var match *filter.Filter
			if h.Filter != "" {
				var err error
				if match, err = filter.Compile(h.Filter); err != nil {
					return err
				}
			}
			_, err := s.Handle(engine.Handler{
				Match: match, Prio: max(engine.MinPrio, min(h.Prio, engine.MaxPrio)), Device: h.Device,
				Run: func(*packet.Packet) engine.Verdict { return engine.Pass() },
			})
			if err != nil {
				return err
			}
		}
		return nil
	}), nil
}

// A source is the device: it gives packets for a while, and takes what is sent.
type source struct {
	packets     []*packet.Packet
	warm, round time.Duration
	ended       bool

	at           int // the next packet
	begun, start time.Time
	counted      int // packets since start
	read, write  time.Duration
	fixup        time.Duration
	took         time.Duration
	before       runtime.MemStats
	after        runtime.MemStats
}

func (s *source) Info() engine.Info {
	link := s.packets[0].Link()
	return engine.Info{
		Name: deviceName(link), Link: link, MTU: 65535, Address: host, Peer: peer,
		MAC: packet.MAC{2, 0, 0, 0, 0, 1}, PeerMAC: packet.MAC{2, 0, 0, 0, 0, 2},
	}
}
func (s *source) Attach(engine.Env) ([]engine.Queue, error) { return []engine.Queue{s}, nil }
func (s *source) Detach()                                   {}
func (s *source) Close() error                              { return nil }
func (s *source) FD() int                                   { return -1 }

// Read gives a batch. Counting begins when the caches are warm, and ends with the round.
func (s *source) Read(ps []*packet.Packet, pool *packet.Pool) (int, error) {
	now := time.Now()
	switch {
	case s.ended:
		return 0, io.EOF
	case s.begun.IsZero():
		s.begun = now
	case s.start.IsZero() && now.Sub(s.begun) >= s.warm:
		runtime.ReadMemStats(&s.before)
		now = time.Now()
		s.start, s.counted, s.read, s.write, s.fixup = now, 0, 0, 0, 0
	case !s.start.IsZero() && now.Sub(s.start) >= s.round:
		s.took, s.ended = now.Sub(s.start), true
		runtime.ReadMemStats(&s.after)
		return 0, io.EOF
	}
	for i := range ps {
		from := s.packets[s.at]
		ps[i] = pool.Get(from.Len())
		ps[i].Set(from.Frame(), from.Link())
		if s.at++; s.at == len(s.packets) {
			s.at = 0
		}
	}
	s.counted += len(ps)
	s.read += time.Since(now)
	return len(ps), nil
}

// Write finishes the packets, as every device does, and copies them away.
func (s *source) Write(ps []*packet.Packet, _ func(*packet.Packet, engine.Reason)) error {
	start := time.Now()
	for _, p := range ps {
		p.Bytes()
	}
	finished := time.Now()
	var room [2048]byte
	for _, p := range ps {
		copy(room[:], p.Frame())
	}
	s.fixup += finished.Sub(start)
	s.write += time.Since(finished)
	return nil
}

// cost is what a packet that came in has cost.
func (s *source) cost() Cost {
	n := float64(max(s.counted, 1))
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / n }
	return Cost{
		Rate:  n / s.took.Seconds(),
		Total: per(s.took), Read: per(s.read), Fixup: per(s.fixup), Write: per(s.write),
		Decide: per(s.took - s.read - s.fixup - s.write),
		Allocs: float64(s.after.Mallocs-s.before.Mallocs) / n,
		Bytes:  float64(s.after.TotalAlloc-s.before.TotalAlloc) / n,
	}
}
