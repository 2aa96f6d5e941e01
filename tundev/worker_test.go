package tundev_test

import (
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// worker is what an engine is to a device: one goroutine that reads a queue until it
// says 0, sleeps until it is woken or the descriptor is readable, and closes the queue.
type worker struct {
	q     engine.Queue
	pool  packet.Pool
	woken chan struct{}
	lost  []engine.Reason
	end   error // what Read said last
	done  chan struct{}
}

// attach makes a worker without starting it.
func attach(t testing.TB, d engine.Device, virtual bool) *worker {
	t.Helper()
	w := &worker{woken: make(chan struct{}, 1), done: make(chan struct{})}
	qs, err := d.Attach(engine.Env{Now: time.Now, Virtual: virtual, Wake: func(int) {
		select {
		case w.woken <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.q = qs[0]
	return w
}

// start runs handle for every packet and writes what it returns.
func (w *worker) start(t testing.TB, handle func(*packet.Packet) *packet.Packet) {
	go func() {
		defer close(w.done)
		defer w.q.Close()
		var in, out [64]*packet.Packet
		lost := func(_ *packet.Packet, why engine.Reason) { w.lost = append(w.lost, why) }
		for {
			n, err := w.q.Read(in[:], &w.pool)
			if err != nil {
				w.end = err
				return
			}
			m := 0
			for _, p := range in[:n] {
				if a := handle(p); a != nil {
					out[m] = a
					m++
				}
			}
			if m > 0 {
				if err := w.q.Write(out[:m], lost); err != nil {
					w.end = err
					return
				}
			}
			for _, p := range in[:n] {
				w.pool.Put(p)
			}
			if n == 0 {
				w.sleep()
			}
		}
	}()
	t.Cleanup(func() {
		select {
		case <-w.done:
		case <-time.After(5 * time.Second):
			t.Error("the worker still runs")
		}
	})
}

// sleep waits for a wake, or polls the descriptor every millisecond.
func (w *worker) sleep() {
	if w.q.FD() < 0 {
		<-w.woken
		return
	}
	select {
	case <-w.woken:
	case <-time.After(time.Millisecond):
	}
}

// finished waits for the worker and wants it to have ended by io.EOF.
func (w *worker) finished(t testing.TB) {
	t.Helper()
	<-w.done
	if w.end != io.EOF {
		t.Errorf("the queue ended with %v, want io.EOF", w.end)
	}
}

// echo answers an ICMP or ICMPv6 echo request in place; other packets get nil.
func echo(p *packet.Packet) *packet.Packet {
	l, b := p.Layout(), append([]byte(nil), p.Bytes()...)
	if l.L4 == 0 {
		return nil
	}
	ip, icmp := b[l.L3:], b[l.L4:l.End]
	switch {
	case l.Proto == packet.ProtoICMP && icmp[0] == 8:
		swap(ip[12:16], ip[16:20])
		icmp[0], icmp[2], icmp[3] = 0, 0, 0
		binary.BigEndian.PutUint16(icmp[2:], packet.Checksum(icmp))
	case l.Proto == packet.ProtoICMPv6 && icmp[0] == 128:
		swap(ip[8:24], ip[24:40])
		icmp[0] = 129
		// 128 becomes 129: the sum, inverted, loses 256 (RFC 1624).
		sum := uint32(^binary.BigEndian.Uint16(icmp[2:])) + 0x100
		binary.BigEndian.PutUint16(icmp[2:], ^uint16(sum+sum>>16))
	default:
		return nil
	}
	if l.L3 > 0 {
		swap(b[0:6], b[6:12])
	}
	if p.Set(b, p.Link()) != nil {
		return nil
	}
	return p
}

func swap(a, b []byte) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}

// udp is an IPv4 packet of n bytes, as small as 28.
func udp(n int) []byte {
	b := make([]byte, n)
	b[0], b[8], b[9] = 0x45, 64, packet.ProtoUDP
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	copy(b[12:], []byte{192, 0, 2, 2, 192, 0, 2, 1})
	binary.BigEndian.PutUint16(b[10:], packet.Checksum(b[:20]))
	binary.BigEndian.PutUint16(b[20:], 4000)
	binary.BigEndian.PutUint16(b[22:], 7)
	binary.BigEndian.PutUint16(b[24:], uint16(n-20))
	return b
}
