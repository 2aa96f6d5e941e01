package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/engine/shared"
)

// tallying counts packets in the dictionaries "own" and "common", and tells what it
// came to.
func tallying(name string, tell map[string]float64) engine.Program {
	return engine.ProgramFunc(name, func(s *engine.Scope) error {
		var dicts [2]*shared.Dict
		for i, d := range []string{"own", "common"} {
			var err error
			if dicts[i], err = s.Shared(d); err != nil {
				return err
			}
		}
		_, err := s.Handle(engine.Handler{Run: func(*packet.Packet) engine.Verdict {
			for _, d := range dicts {
				n, _ := d.Incr(s.Now(), "packets", 1)
				tell[name+"'s "+d.Name()] = n
			}
			return engine.Pass()
		}})
		return err
	})
}

// A dictionary that both programs name is one; any other is each one's own. Both
// outlive the program that filled them.
func TestShared(t *testing.T) {
	tell := map[string]float64{}
	a, c := tallying("a", tell), tallying("b", tell)
	b := newBench(t, func(cfg *engine.Config) {
		cfg.Clock = engine.Virtual(time.Unix(1000, 0))
		for i := range cfg.Programs {
			cfg.Programs[i].Shared = []string{"common"}
		}
	}, a, c)
	b.step(0, udp(t, 7, "x"), udp(t, 7, "x"))
	if diff := cmp.Diff(map[string]float64{"a's own": 2, "b's own": 2, "a's common": 3, "b's common": 4}, tell); diff != "" {
		t.Error(diff)
	}
	if err := b.Swap(a, tallying("a", tell)); err != nil {
		t.Fatal(err)
	}
	b.step(0, udp(t, 7, "x"))
	if diff := cmp.Diff(map[string]float64{"a's own": 3, "b's own": 3, "a's common": 5, "b's common": 6}, tell); diff != "" {
		t.Errorf("after an exchange: %s", diff)
	}
}
