package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/tundev/link"
)

// serveMetrics answers Prometheus at http://LISTEN/metrics, and nobody else, until stop.
// The configuration has seen to it that listen is a loopback address.
func serveMetrics(listen netip.AddrPort, eng *engine.Engine, links []*link.Device) (stop func(), err error) {
	l, err := net.Listen("tcp", listen.String())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w: choose another port for metrics.listen", err)
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(&collector{stats: eng.Stats, links: links})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	srv := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 8 << 10,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
		<-done
	}, nil
}

// A collector makes metrics of what the engine and links have published, when it is asked.
type collector struct {
	stats func() engine.Stats
	links []*link.Device
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tunscript_"+name, help, labels, nil)
}

var (
	receivedPackets = desc("device_received_packets_total", "Packets that came in by a device.", "device")
	receivedBytes   = desc("device_received_bytes_total", "Bytes of frames that came in by a device.", "device")
	sentPackets     = desc("device_sent_packets_total", "Packets that left by a device.", "device")
	sentBytes       = desc("device_sent_bytes_total", "Bytes of frames that left by a device.", "device")
	unsentPackets   = desc("device_lost_packets_total", "Packets that a device could not send.", "device")
	deviceGone      = desc("device_gone_total", "How often a device was lost.", "device")
	queuePackets    = desc("worker_received_packets_total", "Packets that came in by a device and that a worker handled.", "worker", "device")

	steeredPackets = desc("worker_steered_packets_total", "Packets that a worker handed over to the one that has their flow.", "worker")

	linkConnected = desc("link_connected", "1 if a link has a peer now.", "device")
	linkPeers     = desc("link_peers_total", "Peers that came to a link.", "device")
	linkReceived  = desc("link_received_packets_total", "Packets that a link had from its peers.", "device")
	linkSent      = desc("link_sent_packets_total", "Packets that a link has sent to its peers.", "device")
	linkLost      = desc("link_lost_packets_total", "Packets that a link has lost, by reason.", "device", "reason")
	linkParted    = desc("link_parted_peers_total", "Peers that a link has let go, or not let in, by reason.", "device", "reason")

	verdictPackets = desc("verdict_packets_total", "Packets by what was decided about them.", "verdict")
	reasonPackets  = desc("reason_packets_total", "Packets dropped, lost, unforwarded or held, by reason.", "reason")

	handlerPackets = desc("handler_packets_total", "Packets that a handler has seen.", "script", "handler")
	handlerErrors  = desc("handler_errors_total", "Packets at which a handler has failed.", "script", "handler")
	handlerOff     = desc("handler_disabled", "1 if a handler was switched off after too many failures.", "script", "handler")
	scriptErrors   = desc("script_errors_total", "Failures of handlers, timers and tasks of a script.", "script")
	kindErrors     = desc("errors_total", "Failures of all scripts by kind; instructions, memory, string, coroutines, tasks and timers are limits.", "kind")

	flowsHeld      = desc("flows", "Flows that are held.")
	flowsRewritten = desc("flows_rewritten", "Flows that are held and rewritten.")
	flowsMade      = desc("flows_made_total", "Flows ever.")
	flowsExpired   = desc("flows_expired_total", "Flows that ended because they were idle too long.")
	flowsEvicted   = desc("flows_evicted_total", "Flows that ended because limits.flows were held.")
	flowsBypassed  = desc("flow_bypassed_packets_total", "Packets that a flow's rule kept from a script, or ended.")

	faultHeld  = desc("fault_held_packets", "Packets that bad links hold.")
	faultCount = desc("fault_packets_total", "Packets that bad links did something to; dropped ones are among the reasons.", "fault")

	sharedEntries = desc("shared_entries", "Entries of all shared dictionaries.")
	sharedBytes   = desc("shared_bytes", "Bytes that the entries of all shared dictionaries count.")
	sharedEvicted = desc("shared_evicted_total", "Entries that went for want of room: limits.shared.")
	sharedExpired = desc("shared_expired_total", "Entries whose time had come.")
)

// Describe implements prometheus.Collector: names come and go with scripts, so nothing is
// said in advance, and nothing checked.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	st := c.stats()
	m := metrics(to)
	for name, d := range st.Devices {
		m.count(receivedPackets, d.Received, name)
		m.count(receivedBytes, d.ReceivedBytes, name)
		m.count(sentPackets, d.Sent, name)
		m.count(sentBytes, d.SentBytes, name)
		m.count(unsentPackets, d.Lost, name)
		m.count(deviceGone, d.Gone, name)
	}
	for i, w := range st.Workers {
		m.count(steeredPackets, w.Steered, strconv.Itoa(i+1))
		for name, d := range w.Devices {
			m.count(queuePackets, d.Received, strconv.Itoa(i+1), name)
		}
	}
	m.links(c.links)
	m.named(verdictPackets, st.Verdicts)
	m.named(reasonPackets, labelled(st.Reasons))
	m.scripts(st)
	m.stores(st)
}

// metrics sends metrics to whoever collects.
type metrics chan<- prometheus.Metric

func (m metrics) count(d *prometheus.Desc, n uint64, labels ...string) {
	m <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}

func (m metrics) level(d *prometheus.Desc, n uint64, labels ...string) {
	m <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
}

// named counts by one label.
func (m metrics) named(d *prometheus.Desc, counts map[string]uint64) {
	for name, n := range counts {
		m.count(d, n, name)
	}
}

// links are what tunnel links count on the wire's side.
func (m metrics) links(all []*link.Device) {
	for _, d := range all {
		name, s := d.Info().Name, d.Stats()
		m.level(linkConnected, bit(s.Peer != ""), name)
		m.count(linkPeers, s.Peers, name)
		m.count(linkReceived, s.Received, name)
		m.count(linkSent, s.Sent, name)
		for _, c := range s.Lost() {
			m.count(linkLost, c.N, name, c.Word)
		}
		for _, c := range s.Parted() {
			m.count(linkParted, c.N, name, c.Word)
		}
	}
}

// bit is yes as a number.
func bit(yes bool) uint64 {
	if yes {
		return 1
	}
	return 0
}

// label is a name that a script has chosen as a label can be: UTF-8, and not long.
func label(name string) string {
	const most = 200
	return strings.ToValidUTF8(name[:min(len(name), most)], "\uFFFD")
}

// labelled are counts by labels, where several names may have become one.
func labelled[K ~string](counts map[K]uint64) map[string]uint64 {
	sums := map[string]uint64{}
	for name, n := range counts {
		sums[label(string(name))] += n
	}
	return sums
}

// scripts are handlers and errors. Handlers of one name are one: a script may give several
// the same, and a metric has a value once.
func (m metrics) scripts(st engine.Stats) {
	type key struct{ script, handler string }
	sums := map[key]engine.HandlerStats{}
	for _, h := range st.Handlers {
		k := key{label(h.Program), label(h.Name)}
		s := sums[k]
		s.Packets += h.Packets
		s.Failed += h.Failed
		s.Off = s.Off || h.Off
		sums[k] = s
	}
	for k, h := range sums {
		m.count(handlerPackets, h.Packets, k.script, k.handler)
		m.count(handlerErrors, h.Failed, k.script, k.handler)
		m.level(handlerOff, bit(h.Off), k.script, k.handler)
	}
	m.named(scriptErrors, labelled(st.Errors))
	m.named(kindErrors, labelled(st.Failures))
}

// stores are flows, what bad links hold, and shared dictionaries.
func (m metrics) stores(st engine.Stats) {
	m.level(flowsHeld, st.Flows.Held)
	m.level(flowsRewritten, st.Flows.Rewritten)
	m.count(flowsMade, st.Flows.Made)
	m.count(flowsExpired, st.Flows.Expired)
	m.count(flowsEvicted, st.Flows.Evicted)
	m.count(flowsBypassed, st.Flows.Bypassed)
	m.level(faultHeld, st.Faults.Held)
	m.named(faultCount, map[string]uint64{
		"delayed": st.Faults.Delayed, "jumped": st.Faults.Jumped, "duplicated": st.Faults.Duplicated,
		"corrupted": st.Faults.Corrupted, "truncated": st.Faults.Truncated,
	})
	m.level(sharedEntries, uint64(st.Shared.Entries))
	m.level(sharedBytes, uint64(st.Shared.Bytes))
	m.count(sharedEvicted, st.Shared.Evicted)
	m.count(sharedExpired, st.Shared.Expired)
}
