package tundev_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"golang.org/x/sys/unix"
)

// sender is a socket of the namespace that keeps the device's ring filled.
func (w world) sender() (send func(n int)) {
	fd, payload := -1, make([]byte, 64)
	w.must(w.do(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Connect(fd, &unix.SockaddrInet4{Port: 7, Addr: [4]byte{192, 0, 2, 2}})
		}
		return err
	}))
	w.t.Cleanup(func() { unix.Close(fd) })
	return func(n int) {
		for range n {
			unix.Write(fd, payload)
		}
	}
}

func TestATunAllocatesNothing(t *testing.T) {
	w := newWorld(t)
	for _, pi := range []bool{false, true} {
		cfg := point
		cfg.PI = pi
		d := w.open(cfg)
		wk, send := attach(t, d, true), w.sender() // who listens to the kernel, too, allocates when it has something to say
		ps := make([]*packet.Packet, 64)
		lost := func(*packet.Packet, engine.Reason) { t.Error("lost") }
		seen := 0
		got := testing.AllocsPerRun(50, func() {
			send(32)
			for {
				n, err := wk.q.Read(ps, &wk.pool)
				if n == 0 {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				seen += n
				if err := wk.q.Write(ps[:n], lost); err != nil {
					t.Fatal(err)
				}
				for _, p := range ps[:n] {
					wk.pool.Put(p)
				}
			}
		})
		if got > 0 || seen < 51*32 {
			t.Errorf("pi %t: %v allocations for 32 of %d packets, want 0", pi, got, seen)
		}
		wk.q.Close()
	}
}

// BenchmarkTunRead and the others are the kernel's cost and ours for packets of 64 bytes
// of payload; what of it is sending them is not counted.
func BenchmarkTunRead(b *testing.B) {
	w := newWorld(b)
	wk, send := attach(b, w.open(point), false), w.sender()
	defer wk.q.Close()
	ps := make([]*packet.Packet, 64)
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		b.StopTimer()
		send(512)
		b.StartTimer()
		for left > 0 {
			n, _ := wk.q.Read(ps, &wk.pool)
			if n == 0 {
				break
			}
			for _, p := range ps[:n] {
				wk.pool.Put(p)
			}
			left -= n
		}
	}
}

func BenchmarkTunReadNothing(b *testing.B) {
	w := newWorld(b)
	wk := attach(b, w.open(point), false)
	defer wk.q.Close()
	ps := make([]*packet.Packet, 64)
	b.ReportAllocs()
	for b.Loop() {
		wk.q.Read(ps, &wk.pool)
	}
}

func BenchmarkTunWrite(b *testing.B) {
	w := newWorld(b)
	wk := attach(b, w.open(point), false)
	defer wk.q.Close()
	ps := make([]*packet.Packet, 64)
	for i := range ps {
		ps[i] = mustParse(b, udp(64))
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%64 == 0 {
			wk.q.Write(ps, nil)
		}
	}
}
