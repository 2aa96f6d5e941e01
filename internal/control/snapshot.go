package control

import (
	"maps"
	"slices"
	"time"

	"github.com/tunscript/tunscript/engine"
)

// A Snapshot is what a run has counted until Time. Counts only grow.
type Snapshot struct {
	PID      int               `json:"pid"`
	Started  time.Time         `json:"started"`
	Time     time.Time         `json:"time"`
	Devices  []Device          `json:"devices"`
	Links    []Link            `json:"links,omitempty"`
	Verdicts map[string]uint64 `json:"verdicts"` // packets
	Reasons  map[string]uint64 `json:"reasons"`  // packets dropped, lost, unforwarded or held
	Errors   map[string]uint64 `json:"errors"`   // of handlers, timers and tasks, by script
	Limits   map[string]uint64 `json:"limits"`   // how often each was hit
	Handlers []Handler         `json:"handlers"`
	Flows    Flows             `json:"flows"`
	Faults   Faults            `json:"faults"`
	Shared   Shared            `json:"shared"`
	Workers  []Worker          `json:"workers,omitempty"` // where there are several
}

// Worker is one worker's part.
type Worker struct {
	Worker  int      `json:"worker"`  // from 1
	Queues  []Device `json:"devices"` // what it handled of each, and wrote
	Steered uint64   `json:"steered"` // packets that it read and handed over to the worker that has their flow
}

// Device is what one device has counted.
type Device struct {
	Name          string `json:"name"`
	Received      uint64 `json:"received"`
	ReceivedBytes uint64 `json:"received_bytes"`
	Sent          uint64 `json:"sent"`
	SentBytes     uint64 `json:"sent_bytes"`
	Lost          uint64 `json:"lost"` // could not be sent
	Gone          uint64 `json:"gone"` // how often the device was lost
}

// Handler is one handler, in the order of scripts and of registration.
type Handler struct {
	Script string `json:"script"`
	Name   string `json:"name"`
	Place  string `json:"place,omitempty"` // gate.lua:3
	Filter string `json:"filter,omitempty"`
	Device string `json:"device,omitempty"`
	Prio   int    `json:"prio"`
	Calls  uint64 `json:"calls"`
	Errors uint64 `json:"errors"`
	Off    bool   `json:"disabled"` // switched off after too many failures
	// Timed counts the calls of a sample that is taken while somebody has a top, and Took
	// is how many nanoseconds they took together.
	Timed uint64 `json:"timed,omitempty"`
	Took  uint64 `json:"took_ns,omitempty"`
}

// Flows counts flows.
type Flows struct {
	Held      uint64 `json:"held"`      // now
	Rewritten uint64 `json:"rewritten"` // of them
	Made      uint64 `json:"made"`
	Expired   uint64 `json:"expired"`
	Evicted   uint64 `json:"evicted"`
	Bypassed  uint64 `json:"bypassed"` // packets that a rule kept from a script
}

// Shared counts entries of all shared dictionaries.
type Shared struct {
	Entries int    `json:"entries"` // now
	Bytes   int    `json:"bytes"`   // of them
	Evicted uint64 `json:"evicted"` // for want of room
	Expired uint64 `json:"expired"`
}

// Faults counts what bad links did.
type Faults struct {
	Held       uint64 `json:"held"` // now
	Delayed    uint64 `json:"delayed"`
	Duplicated uint64 `json:"duplicated"`
	Corrupted  uint64 `json:"corrupted"`
	Truncated  uint64 `json:"truncated"`
}

// snapshot is what the engine has published.
func snapshot(st engine.Stats) Snapshot {
	s := Snapshot{
		Time:     time.Now(),
		Verdicts: st.Verdicts,
		Reasons:  map[string]uint64{},
		Errors:   st.Errors,
		Limits:   limits(st),
		Flows: Flows{
			Held: st.Flows.Held, Rewritten: st.Flows.Rewritten, Made: st.Flows.Made,
			Expired: st.Flows.Expired, Evicted: st.Flows.Evicted, Bypassed: st.Flows.Bypassed,
		},
		Faults: Faults{
			Held: st.Faults.Held, Delayed: st.Faults.Delayed, Duplicated: st.Faults.Duplicated,
			Corrupted: st.Faults.Corrupted, Truncated: st.Faults.Truncated,
		},
	}
	s.Shared = Shared{st.Shared.Entries, st.Shared.Bytes, st.Shared.Evicted, st.Shared.Expired}
	for reason, n := range st.Reasons {
		s.Reasons[string(reason)] = n
	}
	s.Devices = devices(st.Devices)
	if len(st.Workers) > 1 {
		for i, w := range st.Workers {
			s.Workers = append(s.Workers, Worker{Worker: i + 1, Queues: devices(w.Devices), Steered: w.Steered})
		}
	}
	for _, h := range st.Handlers {
		s.Handlers = append(s.Handlers, Handler{
			Script: h.Program, Name: h.Name, Filter: h.Filter, Device: h.Device, Prio: h.Prio,
			Calls: h.Packets, Errors: h.Failed, Off: h.Off, Place: h.Place, Timed: h.Timed, Took: uint64(h.Took),
		})
	}
	return s
}

// devices are in the order of their names.
func devices(all map[string]engine.DeviceStats) (list []Device) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := all[name]
		list = append(list, Device{name, d.Received, d.ReceivedBytes, d.Sent, d.SentBytes, d.Lost, d.Gone})
	}
	return list
}

// limitKinds are the failures that are a limit's, by the key of [limits].
var limitKinds = []string{"instructions", "memory", "string", "coroutines", "tasks", "timers", "inboxes", "handlers"}

// limitReasons are the packets that were lost to a limit, by what it bounds.
var limitReasons = map[engine.Reason]string{
	engine.ReasonInboxFull: "held",
	engine.ReasonFragLimit: "fragments",
	engine.ReasonRing:      "ring",
}

// limits counts how often limits were hit: only those that were.
func limits(st engine.Stats) map[string]uint64 {
	hit := map[string]uint64{}
	count := func(name string, n uint64) {
		if n > 0 {
			hit[name] += n
		}
	}
	for _, kind := range limitKinds {
		count(kind, st.Failures[kind])
	}
	for reason, name := range limitReasons {
		count(name, st.Reasons[reason])
	}
	count("flows", st.Flows.Evicted)
	count("shared", st.Shared.Evicted)
	return hit
}
