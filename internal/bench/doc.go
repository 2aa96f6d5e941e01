// Package bench measures what a script costs, without a device and without privilege.
//
// A [source] is a device in memory that gives the packets of a capture, or of a mix made
// here, again and again, and swallows what is sent. The same packets go through an engine
// without handler, through the script's filters with handlers in Go that do nothing,
// through one empty Lua handler, and through the script: what the next costs more than
// the one before is what was added. Reading and writing are timed around their batches,
// finishing checksums and lengths apart from the rest. The variants are measured in
// turns, several rounds, and the medians are told.
//
// What the kernel takes for a packet on a real device, some 1.75 us, is not in it.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
)

// Options say what is measured.
type Options struct {
	Packets []*packet.Packet // all of one link type; empty: a mix of IPv4 and IPv6, UDP, TCP and ICMP
	Round   time.Duration    // of one variant; 0: 300 ms
	Rounds  int              // 0: 3
	Config  engine.Config    // with the script among its programs, without devices
	Tell    func(variant string, round int)
}

// Cost is what one variant costs a packet: medians of the rounds.
type Cost struct {
	Variant string  `json:"variant"`
	Rate    float64 `json:"packets_per_second"`
	Total   float64 `json:"ns_per_packet"`
	Read    float64 `json:"ns_read"`
	Decide  float64 `json:"ns_decide"` // filters, handlers and the engine around them
	Fixup   float64 `json:"ns_fixup"`  // finishing checksums and lengths of what leaves
	Write   float64 `json:"ns_write"`
	Allocs  float64 `json:"allocs_per_packet"`
	Bytes   float64 `json:"bytes_per_packet"`
}

// Report is the costs of all variants, and of the script's packet by part.
type Report struct {
	Packets  int               `json:"distinct_packets"`
	Variants []Cost            `json:"variants"`
	Filter   float64           `json:"ns_filter"` // what the script's filters add to no handler
	Lua      float64           `json:"ns_lua"`    // what the script adds to its filters, without fix-up and write
	Verdicts map[string]uint64 `json:"verdicts"`
	Errors   uint64            `json:"errors"`
	Machine  string            `json:"machine"`
}

// The variants.
const (
	NoHandler    = "no handler"
	FiltersOnly  = "the filters alone"
	EmptyHandler = "an empty handler"
	Script       = "the script"
)

const (
	defaultRound  = 300 * time.Millisecond
	defaultRounds = 3
)

// Run measures. Its error is that of a script that does not start.
func Run(ctx context.Context, opt Options) (*Report, error) {
	if len(opt.Packets) == 0 {
		opt.Packets = mix()
	}
	filters, err := filtersOf(opt)
	if err != nil {
		return nil, err
	}
	// Its one statement does nothing: a handler without any is not asked in Lua.
	empty, err := luabind.LoadString("empty.lua", "local n on(function(p) n = nil end)", luabind.Options{})
	if err != nil {
		return nil, err
	}
	variants := []struct {
		name     string
		programs []engine.ProgramConfig
	}{
		{NoHandler, nil},
		{FiltersOnly, []engine.ProgramConfig{{Program: filters}}},
		{EmptyHandler, []engine.ProgramConfig{{Program: empty}}},
		{Script, opt.Config.Programs},
	}
	costs := make([][]Cost, len(variants))
	r := &Report{
		Packets: len(opt.Packets),
		Machine: fmt.Sprintf("%s/%s, %d CPUs, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
	}
	for round := range cmp.Or(opt.Rounds, defaultRounds) {
		for i, v := range variants {
			if opt.Tell != nil {
				opt.Tell(v.name, round+1)
			}
			cost, stats, err := measure(ctx, opt, v.programs)
			if err != nil || ctx.Err() != nil {
				return nil, cmp.Or(err, ctx.Err())
			}
			cost.Variant = v.name
			costs[i] = append(costs[i], cost)
			if v.name == Script {
				r.Verdicts, r.Errors = stats.Verdicts, 0
				for _, n := range stats.Errors {
					r.Errors += n
				}
			}
		}
	}
	for _, c := range costs {
		r.Variants = append(r.Variants, median(c))
	}
	none, filter, script := r.Variants[0], r.Variants[1], r.Variants[3]
	r.Filter = max(filter.Decide-none.Decide, 0)
	r.Lua = max(script.Decide-filter.Decide, 0)
	return r, nil
}

// median is the round whose total is in the middle: its parts belong together.
func median(costs []Cost) Cost {
	slices.SortFunc(costs, func(a, b Cost) int { return cmp.Compare(a.Total, b.Total) })
	return costs[len(costs)/2]
}
