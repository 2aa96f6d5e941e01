package link_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/link"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

var anyPort = netip.MustParseAddrPort("127.0.0.1:0")

// worker is what an engine is to a link: it collects what arrives, and may answer it.
type worker struct {
	t     testing.TB
	dev   *link.Device
	q     engine.Queue
	got   chan []byte
	woken chan struct{}
	do    chan func()
	end   error // what Read said last
	done  chan struct{}

	mu   sync.Mutex
	lost []engine.Reason
}

// open opens a link and begins to read it; handle, if there is one, answers packets.
func open(t testing.TB, c link.Config, handle func(*packet.Packet) *packet.Packet) *worker {
	t.Helper()
	dev, err := link.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return work(t, dev, handle)
}

func work(t testing.TB, dev *link.Device, handle func(*packet.Packet) *packet.Packet) *worker {
	t.Helper()
	w := &worker{t: t, dev: dev, got: make(chan []byte, 10000), woken: make(chan struct{}, 1), do: make(chan func(), 1), done: make(chan struct{})}
	qs, err := dev.Attach(engine.Env{Now: time.Now, Wake: func(int) {
		select {
		case w.woken <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.q = qs[0]
	go w.loop(handle)
	t.Cleanup(w.close)
	return w
}

func (w *worker) loop(handle func(*packet.Packet) *packet.Packet) {
	defer close(w.done)
	defer w.q.Close()
	var pool packet.Pool
	var ps [64]*packet.Packet
	var answer [1]*packet.Packet
	lose := w.lose // once: each w.lose is a new closure
	for {
		n, err := w.q.Read(ps[:], &pool)
		if err != nil {
			w.end = err
			return
		}
		for _, p := range ps[:n] {
			if handle == nil {
				w.got <- bytes.Clone(p.Bytes())
			} else if answer[0] = handle(p); answer[0] != nil {
				w.q.Write(answer[:], lose)
			}
			pool.Put(p)
		}
		if n == 0 {
			select {
			case <-w.woken:
			case f := <-w.do:
				f()
			}
		}
	}
}

func (w *worker) lose(_ *packet.Packet, why engine.Reason) {
	w.mu.Lock()
	w.lost = append(w.lost, why)
	w.mu.Unlock()
}

// send makes the worker send a packet.
func (w *worker) send(b []byte) {
	w.t.Helper()
	p, err := packet.Parse(b, w.dev.Info().Link)
	if err != nil {
		w.t.Fatal(err)
	}
	w.do <- func() { w.q.Write([]*packet.Packet{p}, w.lose) }
}

// expect waits for a packet.
func (w *worker) expect(want []byte) {
	w.t.Helper()
	select {
	case got := <-w.got:
		if !bytes.Equal(got, want) {
			w.t.Fatalf("%s got %d bytes % x, want %d bytes % x", w.dev.Info().Name, len(got), head(got), len(want), head(want))
		}
	case <-time.After(patience):
		w.t.Fatalf("%s got nothing, want % x; %+v", w.dev.Info().Name, head(want), w.dev.Stats())
	}
}

func head(b []byte) []byte { return b[:min(len(b), 40)] }

// until waits until the link has counted something.
func (w *worker) until(what string, ok func(link.Stats) bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !ok(w.dev.Stats()); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s: not seen: %s; %+v", w.dev.Info().Name, what, w.dev.Stats())
		}
	}
}

func connected(s link.Stats) bool { return s.Peer != "" }
func alone(s link.Stats) bool     { return s.Peer == "" && s.Peers > 0 }

func (w *worker) close() {
	w.dev.Close()
	select {
	case <-w.done:
	case <-time.After(patience):
		w.t.Error("the worker still runs")
	}
}

// leaks fails the test if a goroutine is left when everything is closed.
func leaks(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
}

// dial is a peer written by hand.
func dial(t *testing.T, w *worker) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", w.dev.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// frame is b as it stands on the wire.
func frame(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// readFrame reads one from the wire.
func readFrame(t *testing.T, c net.Conn) []byte {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	var n [2]byte
	if _, err := io.ReadFull(c, n[:]); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, binary.BigEndian.Uint16(n[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	return b
}

// udp is an IPv4 packet of n bytes, as small as 28, which tells seq.
func udp(n int, seq byte) []byte {
	b := make([]byte, n)
	b[0], b[8], b[9] = 0x45, 64, packet.ProtoUDP
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	b[5] = seq
	copy(b[12:], []byte{192, 0, 2, 2, 192, 0, 2, 1})
	binary.BigEndian.PutUint16(b[10:], packet.Checksum(b[:20]))
	binary.BigEndian.PutUint16(b[20:], 4000)
	binary.BigEndian.PutUint16(b[22:], 7)
	binary.BigEndian.PutUint16(b[24:], uint16(n-20))
	return b
}

// ethernet is udp in a frame.
func ethernet(n int, seq byte) []byte {
	return append([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0}, udp(n-14, seq)...)
}

func packets(t testing.TB, b []byte) []*packet.Packet {
	p, err := packet.Parse(b, packet.IP)
	if err != nil {
		t.Fatal(err)
	}
	return []*packet.Packet{p}
}
