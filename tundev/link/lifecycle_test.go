package link_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/tundev/link"
)

// A link outlives its peer: it connects again, at first soon.
func TestAPeerComesBack(t *testing.T) {
	leaks(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(ln.Addr().String())
	ln.Close() // nobody is there yet
	b := open(t, link.Config{Name: "b", Kind: link.TCP, Remote: at.String()}, nil)
	b.send(udp(100, 1))
	time.Sleep(150 * time.Millisecond)
	for i := range byte(3) {
		dev, err := link.Open(link.Config{Name: "a", Kind: link.TCP, Local: at})
		if err != nil {
			t.Fatal(err)
		}
		a := work(t, dev, nil)
		a.until("the peer", connected)
		b.until("the peer", connected)
		a.send(udp(100, i))
		b.expect(udp(100, i))
		b.send(udp(100, i))
		a.expect(udp(100, i))
		a.close()
		b.until("the peer is gone", alone)
	}
	if s := b.dev.Stats(); s.Peers != 3 || s.Dropped != 1 {
		t.Errorf("%+v, want 3 peers, and the packet dropped that came before them", s)
	}
	if !slices.Equal(b.lost, []engine.Reason{engine.ReasonDown}) {
		t.Errorf("lost %v", b.lost)
	}
}

// on_lost = "stop": what came is read, then the device is lost.
func TestALinkMayEndWithItsPeer(t *testing.T) {
	leaks(t)
	w := open(t, link.Config{Kind: link.TCP, Local: anyPort, Once: true}, nil)
	c := dial(t, w)
	for i := range byte(100) {
		c.Write(frame(udp(100, i)))
	}
	c.Close()
	for i := range byte(100) {
		w.expect(udp(100, i))
	}
	select {
	case <-w.done:
	case <-time.After(patience):
		t.Fatal("it goes on")
	}
	if e, ok := errors.AsType[*link.Error](w.end); !ok || !errors.Is(w.end, link.ErrPeerGone) || e.Fix == "" {
		t.Errorf("it ended with %v", w.end)
	}
}

// What was sent before Close still leaves; a peer that does not read it is not waited for.
func TestCloseSendsWhatWaits(t *testing.T) {
	leaks(t)
	w := open(t, link.Config{Kind: link.TCP, Local: anyPort}, nil)
	c := dial(t, w)
	w.until("the peer", connected)
	w.do <- func() {
		for i := range byte(200) {
			w.q.Write(packets(t, udp(1500, i)), w.lose)
		}
		w.dev.Close()
	}
	for i := range byte(200) {
		if got := readFrame(t, c); !slices.Equal(got, udp(1500, i)) {
			t.Fatalf("packet %d is % x", i, head(got))
		}
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("then %v, want EOF", err)
	}
	<-w.done
	if w.end != io.EOF {
		t.Errorf("the worker read %v, want EOF", w.end)
	}
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	leaks(t)
	w := open(t, link.Config{Kind: link.TCP, Local: anyPort}, nil)
	dial(t, w)
	w.until("the peer", connected)
	w.do <- func() {
		for range 10_000 {
			w.q.Write(packets(t, udp(1500, 0)), w.lose)
		}
	}
	w.do <- func() {} // the first is done
	began := time.Now()
	w.close()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Close took %v", took)
	}
}

// Nothing runs before Attach and after Detach, and a device that was given back may be
// attached again.
func TestAttachDetachClose(t *testing.T) {
	for _, c := range []link.Config{
		{Kind: link.TCP, Local: anyPort},
		{Kind: link.TCP, Remote: "127.0.0.1:9"},
		{Kind: link.UDP, Local: anyPort},
		{Kind: link.UDP, Remote: "127.0.0.1:9"},
	} {
		leaks(t)
		d, err := link.Open(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Attach(engine.Env{Virtual: true}); !errors.Is(err, link.ErrVirtual) {
			t.Errorf("on a virtual clock: %v, want ErrVirtual", err)
		}
		env := engine.Env{Now: time.Now, Wake: func(int) {}}
		for range 3 {
			if _, err := d.Attach(env); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Attach(env); !errors.Is(err, engine.ErrInUse) {
				t.Errorf("a second Attach says %v, want ErrInUse", err)
			}
			d.Detach()
		}
		w := work(t, d, nil)
		if c.Local.IsValid() {
			b := open(t, link.Config{Kind: c.Kind, Remote: d.Addr()}, nil)
			b.until("the peer", connected)
			b.send(udp(100, 1))
			w.expect(udp(100, 1))
			b.close()
		}
		w.close()
		d.Close()
		if _, err := d.Attach(env); !errors.Is(err, engine.ErrClosed) {
			t.Errorf("Attach after Close says %v, want ErrClosed", err)
		}
	}
}

// Close may come from everywhere at once, and while a peer is looked for.
func TestCloseFromManyGoroutines(t *testing.T) {
	leaks(t)
	for _, c := range []link.Config{
		{Kind: link.TCP, Local: anyPort},
		{Kind: link.TCP, Remote: "127.0.0.1:9"},
		{Kind: link.UDP, Local: anyPort},
	} {
		w := open(t, c, nil)
		for range 4 {
			go w.dev.Close()
		}
		w.close()
		if w.end != io.EOF {
			t.Errorf("%+v: the worker read %v, want EOF", c, w.end)
		}
	}
}

// When a peer is gone the log has what was counted, and leaves out what never happened.
func TestTheLogCounts(t *testing.T) {
	leaks(t)
	var said strings.Builder // written by one goroutine, and read when it has ended
	w := open(t, link.Config{Kind: link.TCP, Local: anyPort, Log: slog.New(slog.NewTextHandler(&said, nil))}, nil)
	c := dial(t, w)
	c.Write(slices.Concat(frame(udp(100, 1)), frame(nil), frame(udp(1501, 2)), frame(udp(100, 3))[:9]))
	w.expect(udp(100, 1))
	c.Close()
	w.until("the peer is gone", func(s link.Stats) bool { return s.Torn == 1 })
	w.close()
	for _, want := range []string{"peer is gone", "received=1 sent=0 empty=1 too_big=1 torn=1 err="} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the log lacks %q: %s", want, said.String())
		}
	}
}
