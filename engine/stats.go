package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/tunscript/tunscript/engine/shared"
)

// Stats is what an engine has counted since it was made. Counts only grow.
type Stats struct {
	Devices  map[string]DeviceStats
	Handlers []HandlerStats    // in the order of programs and registration
	Verdicts map[string]uint64 // packets by verdict: "pass", "accept", "drop", "replace", "taken" by who waited for them, and "hold" for fragments that joining has taken in
	Reasons  map[Reason]uint64 // packets dropped, lost, unforwarded or held, by reason
	Errors   map[string]uint64 // failures of handlers, timers and tasks, by program
	Failures map[string]uint64 // the same, by kind: "runtime", "instructions", "memory"; see Classed
	Flows    FlowStats
	Faults   FaultStats
	Shared   shared.Stats  // of all dictionaries
	Workers  []WorkerStats // each worker's part
}

// WorkerStats is one worker's part of Stats.
type WorkerStats struct {
	Devices map[string]DeviceStats // of its queues
	Steered uint64                 // packets that it read and handed over to the one that has their flow
}

// FaultStats counts what bad links did to packets, but for the drops: those are in
// Reasons.
type FaultStats struct {
	Held       uint64 // now
	Delayed    uint64 // held at a rule
	Jumped     uint64 // went on ahead of their turn
	Duplicated uint64
	Corrupted  uint64
	Truncated  uint64
}

// FlowStats counts flows, and packets that rules decided about.
type FlowStats struct {
	Held, Rewritten uint64 // now, those included that are idle too long and not looked at since
	Made            uint64
	Expired         uint64 // ended because idle too long
	Evicted         uint64 // ended because Config.Flows were held
	Bypassed        uint64 // packets that a rule kept from a program, or ended
}

// DeviceStats counts one device's packets and bytes of their frames.
type DeviceStats struct {
	Received, ReceivedBytes uint64
	Sent, SentBytes         uint64
	Lost                    uint64 // could not be sent
	Gone                    uint64 // how often the device was lost
}

// HandlerStats counts one handler's packets.
type HandlerStats struct {
	Program, Name string
	Filter        string // as it was written; "" wants everything
	Device        string // "" is all of the program's
	Prio          int    // that of the program added
	Packets       uint64 // seen
	Failed        uint64
	Off           bool // switched off after too many failures

	Place string        // where it is written, such as "gate.lua:3"; "" if nobody knows
	Timed uint64        // packets that were timed, see Engine.Profile
	Took  time.Duration // all of them together
}

// A counter has one writer, the worker, and any number of readers. The worker
// counts in a plain word and publishes it with the batch: an atomic store is a
// locked instruction on amd64, and five of them are as much as an empty chain.
type counter struct {
	n uint64 // the worker's
	v atomic.Uint64
}

func (c *counter) add(n uint64) { c.n += n }
func (c *counter) get() uint64  { return c.v.Load() }
func (c *counter) publish() {
	if c.v.Load() != c.n {
		c.v.Store(c.n)
	}
}

type deviceCounters struct{ received, receivedBytes, sent, sentBytes, lost, gone counter }

type handlerCounters struct {
	packets, failed counter
	timed, took     counter // of a sample of packets, in ns
	touched         bool    // since they were published
	off             atomic.Bool
}

// publish shows readers what was counted.
func (w *worker) publish() {
	for _, l := range w.devices {
		c := &l.stats
		c.received.publish()
		c.receivedBytes.publish()
		c.sent.publish()
		c.sentBytes.publish()
		c.lost.publish()
		c.gone.publish()
	}
	for i := range w.verdicts {
		w.verdicts[i].publish()
	}
	for i, h := range w.touched {
		h.stats.packets.publish()
		h.stats.failed.publish()
		h.stats.took.publish()
		h.stats.timed.publish()
		h.stats.touched = false
		w.touched[i] = nil
	}
	w.touched = w.touched[:0]
	w.steered.publish()
	w.flows.publish()
	w.faults.publish()
}

// named counts by names that are not known beforehand, up to a bound: a script
// may invent reasons.
type named[K ~string] struct {
	mu sync.Mutex
	m  map[K]uint64
}

const maxNamed = 1000

// otherNames is what further names are counted as.
const otherNames = "other"

func (n *named[K]) add(k K) { n.addN(k, 1) }

func (n *named[K]) addN(k K, count uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.m == nil {
		n.m = map[K]uint64{}
	}
	if _, ok := n.m[k]; !ok && len(n.m) >= maxNamed {
		k = otherNames
	}
	n.m[k] += count
}

func (n *named[K]) addTo(sum map[K]uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for k, count := range n.m {
		sum[k] += count
	}
}
