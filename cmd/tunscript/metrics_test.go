package main

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/shared"
	"github.com/tunscript/tunscript/tundev/link"
)

// busy has something of everything, and names as a script may choose them.
func busy() engine.Stats {
	devices := map[string]engine.DeviceStats{"tun0": {Received: 7, ReceivedBytes: 700, Sent: 3, SentBytes: 300, Lost: 1}}
	return engine.Stats{
		Devices:  devices,
		Workers:  []engine.WorkerStats{{Devices: devices}, {Devices: devices}},
		Verdicts: map[string]uint64{"pass": 4, "drop": 3},
		Reasons:  map[engine.Reason]uint64{"blocked": 2, "\xff": 1, "\xfe": 1, engine.Reason(strings.Repeat("x", 1000)): 1},
		Errors:   map[string]uint64{"gate": 2},
		Failures: map[string]uint64{"instructions": 2},
		Handlers: []engine.HandlerStats{
			{Program: "gate", Name: "same", Packets: 2},
			{Program: "gate", Name: "same", Packets: 3, Failed: 1, Off: true},
		},
		Flows:  engine.FlowStats{Held: 5, Made: 6},
		Shared: shared.Stats{Entries: 8, Bytes: 800, Evicted: 1},
	}
}

// alone is a tunnel without a peer.
func alone(t *testing.T) []*link.Device {
	d, err := link.Open(link.Config{Name: "link0", Kind: link.TCP, Local: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return []*link.Device{d}
}

// Names, types and help texts are as Prometheus wants them.
func TestMetricsLint(t *testing.T) {
	problems, err := testutil.CollectAndLint(&collector{stats: busy, links: alone(t)})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestMetricsValues(t *testing.T) {
	err := testutil.CollectAndCompare(&collector{stats: busy, links: alone(t)}, strings.NewReader(`
# HELP tunscript_handler_packets_total Packets that a handler has seen.
# TYPE tunscript_handler_packets_total counter
tunscript_handler_packets_total{handler="same",script="gate"} 5
# HELP tunscript_handler_disabled 1 if a handler was switched off after too many failures.
# TYPE tunscript_handler_disabled gauge
tunscript_handler_disabled{handler="same",script="gate"} 1
# HELP tunscript_reason_packets_total Packets dropped, lost, unforwarded or held, by reason.
# TYPE tunscript_reason_packets_total counter
tunscript_reason_packets_total{reason="blocked"} 2
tunscript_reason_packets_total{reason="`+strings.Repeat("x", 200)+`"} 1
tunscript_reason_packets_total{reason="`+"\uFFFD"+`"} 2
# HELP tunscript_link_connected 1 if a link has a peer now.
# TYPE tunscript_link_connected gauge
tunscript_link_connected{device="link0"} 0
# HELP tunscript_link_parted_peers_total Peers that a link has let go, or not let in, by reason.
# TYPE tunscript_link_parted_peers_total counter
tunscript_link_parted_peers_total{device="link0",reason="refused"} 0
tunscript_link_parted_peers_total{device="link0",reason="stalled"} 0
tunscript_link_parted_peers_total{device="link0",reason="torn"} 0
# HELP tunscript_worker_received_packets_total Packets that came in by a device and that a worker handled.
# TYPE tunscript_worker_received_packets_total counter
tunscript_worker_received_packets_total{device="tun0",worker="1"} 7
tunscript_worker_received_packets_total{device="tun0",worker="2"} 7
`), "tunscript_handler_packets_total", "tunscript_handler_disabled", "tunscript_reason_packets_total",
		"tunscript_link_connected", "tunscript_link_parted_peers_total", "tunscript_worker_received_packets_total")
	if err != nil {
		t.Error(err)
	}
}

// Only /metrics is there, only to be read, and nothing is left afterwards.
func TestServeMetrics(t *testing.T) {
	eng, err := engine.New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(l.Addr().String())
	if _, err := serveMetrics(at, eng, nil); err == nil || !strings.Contains(err.Error(), "choose another port") {
		t.Errorf("a port that is taken: %v", err)
	}
	l.Close()
	stop, err := serveMetrics(at, eng, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/metrics", 200, "tunscript_flows 0\n"},
		{"GET", "/", 404, ""},
		{"GET", "/debug/pprof/", 404, ""},
		{"POST", "/metrics", 405, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+at.String()+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tt.status || !strings.Contains(string(b), tt.want) {
			t.Errorf("%s %s: %s\n%s", tt.method, tt.path, resp.Status, b)
		}
	}
	stop()
	if _, err := http.Get("http://" + at.String() + "/metrics"); err == nil {
		t.Error("it answers on")
	}
}
