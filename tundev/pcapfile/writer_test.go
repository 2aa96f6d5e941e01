package pcapfile_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/pcapfile"
	"go.uber.org/goleak"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 123456789, time.UTC)

// story is what an engine with two devices tells of a few packets.
func story(t testing.TB, o engine.Observer) {
	ip4, ip6 := mustParse(t, ping4(), packet.IP), mustParse(t, ping6(), packet.IP)
	eth := mustParse(t, join(make([]byte, 12), []byte{8, 0}, ping4()), packet.Ethernet)
	at := noon
	tell := func(kind engine.EventKind, dev string, p *packet.Packet, more ...string) {
		e := engine.Event{Kind: kind, Time: at, Worker: 1, Device: dev, Packet: p}
		if len(more) > 0 {
			e.Reason = more[0]
		}
		if len(more) > 2 {
			e.Program, e.Handler = more[1], more[2]
		}
		at = at.Add(time.Nanosecond)
		o.Observe(&e)
	}
	tell(engine.Received, "tun0", ip4)
	tell(engine.Dropped, "tun0", ip4, "blocked", "gate.lua", "line 3")
	tell(engine.Received, "tun0", ip6)
	tell(engine.Replaced, "tun0", ip6, "", "echo.lua", "line 1")
	tell(engine.Sent, "tun0", ip6)
	tell(engine.Received, "tap0", eth)
	tell(engine.Failed, "tap0", eth, "attempt to index nil", "bad.lua", "line 9")
	tell(engine.Dropped, "tap0", eth, "error")
	tell(engine.Lost, "tun0", ip4, "full")
	tell(engine.Failed, "", nil, "a timer")
	tell(engine.Received, "tun0", ip4) // a task takes it: nothing more is said
	tell(engine.Received, "tun0", ip6)
	tell(engine.Passed, "tun0", ip6, "unforwarded")
}

// The file as tshark, which knows the format from another book, reads it.
func TestTsharkReadsWhatIsWritten(t *testing.T) {
	defer goleak.VerifyNone(t)
	labtest.Need(t, "tshark")
	path := filepath.Join(t.TempDir(), "story.pcapng")
	w, err := pcapfile.Create(path, "")
	if err != nil {
		t.Fatal(err)
	}
	story(t, w)
	if err := w.Close(); err != nil || w.Lost() != 0 {
		t.Fatal(err, w.Lost())
	}
	cmd := exec.Command("tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=|", "-e", "frame.interface_name",
		"-e", "frame.packet_flags_direction", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.comment", "-e", "ip.dst")
	out, err := cmd.Output()
	if err != nil {
		e, _ := errors.AsType[*exec.ExitError](err)
		t.Fatalf("%v\n%s", err, e.Stderr)
	}
	want := []string{
		"tun0|0x00000001|1767355200.123456789|28|drop: blocked (gate.lua, line 3)|192.0.2.2",
		"tun0|0x00000001|1767355200.123456791|48|replace (echo.lua, line 1)|",
		"tun0|0x00000002|1767355200.123456793|48||",
		"tap0|0x00000001|1767355200.123456794|42|error: attempt to index nil (bad.lua, line 9); drop: error|192.0.2.2",
		"tun0|0x00000002|1767355200.123456797|28|lost: full|192.0.2.2",
		"tun0|0x00000001|1767355200.123456799|28||192.0.2.2",
		"tun0|0x00000001|1767355200.123456800|48|pass: unforwarded|",
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i := range max(len(got), len(want)) {
		var g, e string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			e = want[i]
		}
		if g != e {
			t.Errorf("line %d\n got %s\nwant %s", i+1, g, e)
		}
	}
}

// Nanoseconds and bytes come back as they went in, from both formats.
func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	for _, c := range []struct {
		name          string
		format        pcapfile.Format
		packets, lost int
		skipped       int
	}{
		{"pcapng", pcapfile.NG, 7, 0, 1},    // the Ethernet frame, as the first is IP
		{"pcap", pcapfile.Classic, 5, 1, 0}, // which has no place in the classic format, nor what could not leave
	} {
		var b bytes.Buffer
		w := pcapfile.NewWriter(&b, c.format, "")
		story(t, w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		d, ps, err := play(t, b.Bytes())
		if err != nil || len(ps)+c.skipped != c.packets || int(w.Lost()) != c.lost || d.Skipped() != c.skipped {
			t.Errorf("%s: %d packets, %d lost, %d skipped, %v, want %+v", c.name, len(ps), w.Lost(), d.Skipped(), err, c)
		}
		if len(ps) > 0 && (!bytes.Equal(ps[0].Bytes(), ping4()) || !ps[0].Time.Equal(noon)) {
			t.Errorf("%s: the first is % x at %v", c.name, ps[0].Bytes(), ps[0].Time)
		}
	}
}

// A file with nothing in it is a file.
func TestNothingToWrite(t *testing.T) {
	for _, f := range []pcapfile.Format{pcapfile.NG, pcapfile.Classic} {
		var b bytes.Buffer
		w := pcapfile.NewWriter(&b, f, "")
		w.Close()
		w.Close()
		if _, ps, err := play(t, b.Bytes()); len(ps) != 0 || err != nil {
			t.Errorf("%v: %d packets, %v", f, len(ps), err)
		}
	}
}

// stuck is a disk that is behind.
type stuck struct{ release chan struct{} }

func (s stuck) Write(b []byte) (int, error) {
	<-s.release
	return len(b), nil
}

func TestASlowDiskLosesPacketsAndNoTime(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := stuck{make(chan struct{})}
	w := pcapfile.NewWriter(s, pcapfile.NG, "")
	p := mustParse(t, append(ping4(), make([]byte, 60000)...), packet.IP)
	e := engine.Event{Kind: engine.Sent, Time: noon, Worker: 1, Device: "tun0", Packet: p}
	const n = 1000 // 60 MB
	for range n {
		w.Observe(&e)
	}
	if lost := w.Lost(); lost < n/2 || lost >= n {
		t.Errorf("%d of %d were lost, want most of them", lost, n)
	}
	close(s.release)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	before := w.Lost()
	if w.Observe(&e); w.Lost() != before+1 {
		t.Error("a packet after Close is not counted")
	}
}

func TestSeveralWorkersAtOnce(t *testing.T) {
	var b bytes.Buffer
	w := pcapfile.NewWriter(&b, pcapfile.NG, "")
	var wg sync.WaitGroup
	const each = 500
	for worker := 1; worker <= 4; worker++ {
		wg.Go(func() {
			p := mustParse(t, ping4(), packet.IP)
			for range each {
				w.Observe(&engine.Event{Kind: engine.Received, Time: noon, Worker: worker, Device: "tun0", Packet: p})
				w.Observe(&engine.Event{Kind: engine.Dropped, Time: noon, Worker: worker, Device: "tun0", Packet: p})
			}
		})
	}
	wg.Wait()
	w.Close()
	if _, ps, err := play(t, b.Bytes()); len(ps) != 4*each || err != nil {
		t.Errorf("%d packets, %v, want %d", len(ps), err, 4*each)
	}
}

// A disk that is full says so at the end.
func TestAnErrorOfWritingComesOutOfClose(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/full: ", err)
	}
	defer full.Close()
	w := pcapfile.NewWriter(full, pcapfile.NG, "")
	story(t, w)
	if err := w.Close(); err == nil {
		t.Error("no error")
	}
	d, err := pcapfile.Play(bytes.NewReader(classicRaw()), full, pcapfile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	q := attach(t, d, engine.Env{})
	if err := q.Write([]*packet.Packet{mustParse(t, ping4(), packet.IP)}, nil); err != nil {
		t.Error(err)
	}
	if err := q.Close(); err == nil {
		t.Error("no error from the device")
	}
}

func TestAWriterAllocatesNothing(t *testing.T) {
	w := pcapfile.NewWriter(io.Discard, pcapfile.NG, "")
	defer w.Close()
	p := mustParse(t, ping4(), packet.IP)
	r := engine.Event{Kind: engine.Received, Time: noon, Worker: 1, Device: "tun0", Packet: p}
	v := engine.Event{Kind: engine.Dropped, Time: noon, Worker: 1, Device: "tun0", Packet: p, Reason: "blocked", Program: "gate.lua"}
	both := func() { w.Observe(&r); w.Observe(&v) }
	for range 100_000 { // until the buffers are as large as they become
		both()
	}
	if n := testing.AllocsPerRun(1000, both); n > 0 {
		t.Errorf("%v allocations for a packet, want 0", n)
	}
}

func BenchmarkWriter(b *testing.B) {
	w := pcapfile.NewWriter(io.Discard, pcapfile.NG, "")
	defer w.Close()
	p := mustParse(b, append(ping4(), make([]byte, 1400)...), packet.IP)
	r := engine.Event{Kind: engine.Received, Time: noon, Worker: 1, Device: "tun0", Packet: p}
	v := engine.Event{Kind: engine.Dropped, Time: noon, Worker: 1, Device: "tun0", Packet: p, Reason: "blocked", Program: "gate.lua"}
	b.ReportAllocs()
	for b.Loop() {
		w.Observe(&r)
		w.Observe(&v)
	}
}
