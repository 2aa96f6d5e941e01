package engine

import (
	"slices"
	"time"
)

// Stats returns what was counted so far, but for the batches in hand. It is safe at
// any time, also after Run.
func (e *Engine) Stats() Stats {
	s := Stats{
		Devices:  make(map[string]DeviceStats, len(e.devices)),
		Verdicts: map[string]uint64{},
		Reasons:  map[Reason]uint64{},
		Errors:   map[string]uint64{},
		Failures: map[string]uint64{},
	}
	var handlers []HandlerStats
	for _, w := range e.workers {
		part := w.deviceStats()
		for name, d := range part {
			s.Devices[name] = s.Devices[name].plus(d)
		}
		s.Workers = append(s.Workers, WorkerStats{Devices: part, Steered: w.steered.get()})
		w.sumInto(&s)
		handlers = merge(handlers, w.handlerStats())
	}
	s.Handlers = handlers
	s.Shared = e.sharedStats()
	return s
}

// deviceStats are those of the worker's queues.
func (w *worker) deviceStats() map[string]DeviceStats {
	all := make(map[string]DeviceStats, len(w.devices))
	for _, l := range w.devices {
		c := &l.stats
		all[l.name] = DeviceStats{
			Received: c.received.get(), ReceivedBytes: c.receivedBytes.get(),
			Sent: c.sent.get(), SentBytes: c.sentBytes.get(), Lost: c.lost.get(), Gone: c.gone.get(),
		}
	}
	return all
}

func (d DeviceStats) plus(o DeviceStats) DeviceStats {
	d.Received += o.Received
	d.ReceivedBytes += o.ReceivedBytes
	d.Sent += o.Sent
	d.SentBytes += o.SentBytes
	d.Lost += o.Lost
	d.Gone += o.Gone
	return d
}

// sumInto adds what the worker has counted, but for devices and handlers.
func (w *worker) sumInto(s *Stats) {
	for v, name := range map[verdict]string{pass: "pass", accept: "accept", drop: "drop", replace: "replace", take: "taken", hold: "hold"} {
		s.Verdicts[name] += w.verdicts[v].get()
	}
	w.reasons.addTo(s.Reasons)
	w.errors.addTo(s.Errors)
	w.classes.addTo(s.Failures)
	s.Flows.add(w.flows.stats())
	s.Faults.add(w.faults.stats())
}

func (s *FlowStats) add(o FlowStats) {
	s.Held += o.Held
	s.Rewritten += o.Rewritten
	s.Made += o.Made
	s.Expired += o.Expired
	s.Evicted += o.Evicted
	s.Bypassed += o.Bypassed
}

func (s *FaultStats) add(o FaultStats) {
	s.Held += o.Held
	s.Delayed += o.Delayed
	s.Jumped += o.Jumped
	s.Duplicated += o.Duplicated
	s.Corrupted += o.Corrupted
	s.Truncated += o.Truncated
}

func (w *worker) handlerStats() []HandlerStats {
	var all []HandlerStats
	for _, h := range *w.handles.Load() {
		text := h.h.Filter
		if h.filter != nil {
			text = h.filter.String()
		}
		all = append(all, HandlerStats{
			Program: h.scope.Name(), Name: h.h.Name, Filter: text, Device: h.h.Device, Prio: h.h.Prio + h.scope.config.Prio,
			Packets: h.stats.packets.get(), Failed: h.stats.failed.get(), Off: h.stats.off.Load(),
			Place: h.h.Place, Timed: h.stats.timed.get(), Took: time.Duration(h.stats.took.get()),
		})
	}
	return all
}

// merge adds a worker's handlers to those of the workers before it. An instance of a
// program registers what the others do, if it does not ask which worker it is: so equals
// are met in the same order, and what only one has follows its program's others.
func merge(all, more []HandlerStats) []HandlerStats {
	if all == nil {
		return more
	}
	met := make([]bool, len(all), len(all)+len(more))
	for _, h := range more {
		at, end := -1, len(all)
		for i, o := range all {
			if o.Program == h.Program {
				end = i + 1
			}
			if at < 0 && !met[i] && same(o, h) {
				at = i
			}
		}
		if at < 0 {
			at = end
			all = slices.Insert(all, at, HandlerStats{Program: h.Program, Name: h.Name, Filter: h.Filter, Device: h.Device, Prio: h.Prio, Place: h.Place})
			met = slices.Insert(met, at, false)
		}
		met[at] = true
		all[at].Packets += h.Packets
		all[at].Failed += h.Failed
		all[at].Off = all[at].Off || h.Off
		all[at].Timed += h.Timed
		all[at].Took += h.Took
	}
	return all
}

// same reports that a and b are one handler in two workers.
func same(a, b HandlerStats) bool {
	return a.Program == b.Program && a.Name == b.Name && a.Filter == b.Filter && a.Device == b.Device && a.Prio == b.Prio
}
