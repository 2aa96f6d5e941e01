package tundev_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
	"go.uber.org/goleak"
)

func TestAPipeCarriesPacketsBothWays(t *testing.T) {
	defer goleak.VerifyNone(t)
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0"})
	w := attach(t, dev, false)
	w.start(t, func(p *packet.Packet) *packet.Packet { return p })
	for n := 28; n < 3000; n += 500 {
		sent := udp(n)
		if _, err := wire.Write(sent); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 4000)
		n, err := wire.Read(b)
		if err != nil || !bytes.Equal(b[:n], sent) {
			t.Fatalf("got %x, %v, want what was sent", b[:n], err)
		}
	}
	wire.Close()
	w.finished(t)
}

// The program `virtual`: nothing waits for a clock that stands still.
func TestNothingWaitsBeforeAttachOrInVirtualTime(t *testing.T) {
	for _, virtual := range []bool{false, true} {
		dev, wire := tundev.Pipe(tundev.Config{TxQueueLen: 3})
		var w *worker
		if virtual {
			w = attach(t, dev, true)
		}
		if _, err := wire.Read(make([]byte, 100)); err != tundev.ErrEmpty {
			t.Errorf("virtual %t: Read of nothing: %v, want ErrEmpty", virtual, err)
		}
		for range 3 {
			if _, err := wire.Write(udp(28)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := wire.Write(udp(28)); err != tundev.ErrFull {
			t.Errorf("virtual %t: the fourth Write: %v, want ErrFull", virtual, err)
		}
		if w == nil {
			w = attach(t, dev, true) // what was written before is there
		}
		ps := make([]*packet.Packet, 64)
		if n, err := w.q.Read(ps, &w.pool); n != 3 || err != nil {
			t.Fatalf("read %d, %v, want 3", n, err)
		}
		var lost []engine.Reason
		ps[3] = ps[0].Clone()
		w.q.Write(ps[:4], func(p *packet.Packet, why engine.Reason) {
			if p != ps[3] {
				t.Error("another packet was lost than the last")
			}
			lost = append(lost, why)
		})
		if !slices.Equal(lost, []engine.Reason{engine.ReasonFull}) || wire.Pending() != 3 {
			t.Errorf("lost %v, %d pending, want the fourth lost as full", lost, wire.Pending())
		}
	}
}

func TestOnTheRealClockTheWireWaits(t *testing.T) {
	defer goleak.VerifyNone(t)
	dev, wire := tundev.Pipe(tundev.Config{TxQueueLen: 2})
	w := attach(t, dev, false)
	wrote, read := make(chan error, 3), make(chan error, 1)
	go func() {
		for range 3 {
			_, err := wire.Write(udp(28))
			wrote <- err
		}
	}()
	go func() {
		_, err := wire.Read(make([]byte, 100))
		read <- err
	}()
	for range 2 {
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-wrote:
		t.Fatalf("a Write into a full pipe returned %v", err)
	case err := <-read:
		t.Fatalf("a Read of nothing returned %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	w.start(t, func(p *packet.Packet) *packet.Packet { return p })
	if err := errors.Join(<-wrote, <-read); err != nil {
		t.Fatal(err)
	}
	dev.Close()
	w.finished(t)
}

// When either end closes, reads drain and then say io.EOF, writes io.ErrClosedPipe.
func TestEitherEndMayClose(t *testing.T) {
	for _, c := range []struct {
		who   string
		close func(*tundev.Device, *tundev.Wire, *worker)
	}{
		{"the wire", func(_ *tundev.Device, w *tundev.Wire, _ *worker) { w.Close() }},
		{"the device", func(d *tundev.Device, _ *tundev.Wire, _ *worker) { d.Close() }},
		{"the worker", func(_ *tundev.Device, _ *tundev.Wire, w *worker) { w.q.Close() }},
	} {
		dev, wire := tundev.Pipe(tundev.Config{})
		w := attach(t, dev, false)
		ps := make([]*packet.Packet, 64)
		for range 5 {
			wire.Write(udp(28))
		}
		w.q.Read(ps[:2], &w.pool)
		w.q.Write(ps[:2], nil)
		c.close(dev, wire, w)
		c.close(dev, wire, w)
		if _, err := wire.Write(udp(28)); err != io.ErrClosedPipe {
			t.Errorf("%s closed: Write says %v, want io.ErrClosedPipe", c.who, err)
		}
		for range 2 {
			if _, err := wire.Read(make([]byte, 100)); err != nil {
				t.Errorf("%s closed: Read of what is left says %v", c.who, err)
			}
		}
		if _, err := wire.Read(make([]byte, 100)); err != io.EOF {
			t.Errorf("%s closed: Read says %v, want io.EOF", c.who, err)
		}
		if c.who == "the wire" {
			if n, err := w.q.Read(ps, &w.pool); n != 3 || err != nil {
				t.Errorf("the device reads %d, %v of what was written before, want 3", n, err)
			}
		}
		if n, err := w.q.Read(ps, &w.pool); n != 0 || err != io.EOF {
			t.Errorf("%s closed: the device reads %d, %v, want io.EOF", c.who, n, err)
		}
		var lost engine.Reason
		err := w.q.Write([]*packet.Packet{mustParse(t, udp(28))}, func(_ *packet.Packet, why engine.Reason) { lost = why })
		if err != nil || lost != engine.ReasonGone {
			t.Errorf("%s closed: the device writes %v, %q, want %q", c.who, err, lost, engine.ReasonGone)
		}
		select {
		case <-w.woken:
		default:
			t.Errorf("%s closed and nobody woke the worker", c.who)
		}
	}
}

func TestADeviceHasOneEngine(t *testing.T) {
	dev, wire := tundev.Pipe(tundev.Config{})
	attach(t, dev, false)
	if _, err := dev.Attach(engine.Env{}); !errors.Is(err, engine.ErrInUse) {
		t.Errorf("a second Attach says %v, want ErrInUse", err)
	}
	dev.Detach()
	if _, err := wire.Read(make([]byte, 10)); err != tundev.ErrEmpty {
		t.Errorf("detached: Read says %v, want ErrEmpty", err)
	}
	w := attach(t, dev, false)
	dev.Close()
	w.q.Close()
	if _, err := dev.Attach(engine.Env{}); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("Attach after Close says %v, want ErrClosed", err)
	}
}

func TestTheWireIsADeviceToo(t *testing.T) {
	dev, wire := tundev.Pipe(tundev.Config{
		Name: "tap0", Kind: tundev.TAP, MTU: 1400,
		Address: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/128")},
		Peer:    []netip.Addr{netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::2")},
	})
	near, far := dev.Info(), wire.Device().Info()
	if far.Name != "tap0" || far.MTU != 1400 || far.MAC != near.PeerMAC || far.PeerMAC != near.MAC || near.MAC == near.PeerMAC {
		t.Errorf("the far end is %+v, the near end %+v", far, near)
	}
	if a := []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("2001:db8::2/128")}; !slices.Equal(far.Address, a) {
		t.Errorf("its addresses are %v, want %v", far.Address, a)
	}
	if p := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}; !slices.Equal(far.Peer, p) {
		t.Errorf("its peers are %v, want %v", far.Peer, p)
	}
	a, b := attach(t, dev, true), attach(t, wire.Device(), true)
	frame := append(make([]byte, 12), 8, 0)
	p, err := packet.Parse(append(frame, udp(28)...), packet.Ethernet)
	if err != nil {
		t.Fatal(err)
	}
	b.q.Write([]*packet.Packet{p}, nil)
	select {
	case <-a.woken:
	default:
		t.Error("the near end was not woken")
	}
	ps := make([]*packet.Packet, 8)
	if n, err := a.q.Read(ps, &a.pool); n != 1 || err != nil || ps[0].Link() != packet.Ethernet {
		t.Errorf("the near end read %d, %v", n, err)
	}
}

// What write(2) on a device answers EINVAL to.
func TestAPipeRefusesWhatADeviceRefuses(t *testing.T) {
	for _, c := range []struct {
		kind tundev.Kind
		b    []byte
	}{
		{tundev.TUN, nil},
		{tundev.TUN, []byte{0x50, 0}},
		{tundev.TUN, udp(packet.MaxLen + 1)},
		{tundev.TAP, make([]byte, 13)},
	} {
		dev, wire := tundev.Pipe(tundev.Config{Kind: c.kind})
		if _, err := wire.Write(c.b); errorsAs[*packet.ParseError](err) == nil {
			t.Errorf("%s: %d bytes: %v, want a ParseError", c.kind, len(c.b), err)
		}
		w := attach(t, dev, true)
		var why engine.Reason
		other := mustParse(t, udp(28))
		if c.kind == tundev.TUN {
			other, _ = packet.Parse(make([]byte, 60), packet.Ethernet)
		}
		w.q.Write([]*packet.Packet{other}, func(_ *packet.Packet, r engine.Reason) { why = r })
		if why != engine.ReasonRefused {
			t.Errorf("%s: a packet of the other link type: %q, want %q", c.kind, why, engine.ReasonRefused)
		}
	}
}

func TestAShortBufferCutsThePacket(t *testing.T) {
	dev, wire := tundev.Pipe(tundev.Config{})
	w := attach(t, dev, true)
	w.q.Write([]*packet.Packet{mustParse(t, udp(100))}, nil)
	if n, err := wire.Read(make([]byte, 40)); n != 40 || err != io.ErrShortBuffer {
		t.Errorf("got %d, %v, want 40, io.ErrShortBuffer", n, err)
	}
	if wire.Pending() != 0 {
		t.Error("the rest of it is still there")
	}
}

// Four writers and four readers: every packet arrives once, and each writer's in order.
func TestManyGoroutinesUseOneWire(t *testing.T) {
	defer goleak.VerifyNone(t)
	const writers, each = 4, 2000
	dev, wire := tundev.Pipe(tundev.Config{TxQueueLen: 50})
	w := attach(t, dev, false)
	credits := make(chan struct{}, 50) // as many as fit, so that none is lost
	w.start(t, func(p *packet.Packet) *packet.Packet { return p })
	var wg, rd sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				b := udp(32)
				b[28] = byte(i)
				binary.BigEndian.PutUint16(b[30:], uint16(j))
				credits <- struct{}{}
				if _, err := wire.Write(b); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex
	count := map[[2]uint16]int{}
	for range 4 {
		rd.Go(func() {
			b := make([]byte, 100)
			for {
				if _, err := wire.Read(b); err != nil {
					if err != io.EOF {
						t.Error(err)
					}
					return
				}
				<-credits
				mu.Lock()
				count[[2]uint16{uint16(b[28]), binary.BigEndian.Uint16(b[30:])}]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for deadline := time.Now().Add(5 * time.Second); len(credits) > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	dev.Close()
	rd.Wait()
	<-w.done
	if len(count) != writers*each || len(w.lost) > 0 {
		t.Errorf("%d packets arrived and %d were lost, want %d and none", len(count), len(w.lost), writers*each)
	}
	for k, n := range count {
		if n != 1 {
			t.Errorf("packet %v arrived %d times", k, n)
		}
	}
}

func mustParse(t testing.TB, b []byte) *packet.Packet {
	t.Helper()
	p, err := packet.Parse(b, packet.IP)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func errorsAs[E error](err error) error {
	if e, ok := errors.AsType[E](err); ok {
		return e
	}
	return nil
}
