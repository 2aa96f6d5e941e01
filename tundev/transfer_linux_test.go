package tundev_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
	"golang.org/x/sys/unix"
)

// three hosts: near, behind tun0; middle, behind tun1; and far, behind the middle and
// a veth without tx offloads. There the middle must finish the checksums that the engine
// left unfinished, and far verifies them: local delivery in the middle does not, so a
// wrong seed passes there unseen.
type three struct {
	near, middle, far world
	tun               [2]*tundev.Device
}

func newThree(t testing.TB, kind tundev.Kind, offload tundev.Offload) *three {
	t.Helper()
	n := &three{newWorld(t), newWorld(t), newWorld(t), [2]*tundev.Device{}}
	if kind == tundev.TAP {
		n.tun[0] = n.near.open(tundev.Config{Name: "tap0", Kind: kind, Offload: offload, Address: prefixes("192.0.2.1/24", "2001:db8::1/64")})
		n.tun[1] = n.middle.open(tundev.Config{Name: "tap1", Kind: kind, Offload: offload, Address: prefixes("192.0.2.2/24", "2001:db8::2/64")})
		n.near.ip("route add 203.0.113.0/24 via 192.0.2.2")
		n.near.ip("-6 route add 2001:db8:9::/64 via 2001:db8::2")
		n.veth()
		return n
	}
	n.tun[0] = n.near.open(tundev.Config{Name: "tun0", Offload: offload, Address: prefixes("192.0.2.1/32", "2001:db8::1/128"),
		Peer: addrs("192.0.2.2", "2001:db8::2"), Route: prefixes("203.0.113.0/24", "2001:db8:9::/64")})
	n.tun[1] = n.middle.open(tundev.Config{Name: "tun1", Offload: offload, Address: prefixes("192.0.2.2/32", "2001:db8::2/128"),
		Peer: addrs("192.0.2.1", "2001:db8::1")})
	n.veth()
	return n
}

// veth puts far behind the middle.
func (n *three) veth() {
	n.middle.ip("link add veth0 type veth peer name veth1")
	// veth1 goes to far by a process that lives there.
	var sleep *exec.Cmd
	n.far.must(n.far.do(func() error {
		sleep = exec.Command("sleep", "60")
		return sleep.Start()
	}))
	n.middle.ip(fmt.Sprintf("link set veth1 netns %d", sleep.Process.Pid))
	sleep.Process.Kill()
	sleep.Wait()
	for _, c := range []struct {
		w       world
		dev     string
		v4, v6  string
		forward bool
	}{{n.middle, "veth0", "203.0.113.1/24", "2001:db8:9::1/64", true}, {n.far, "veth1", "203.0.113.2/24", "2001:db8:9::2/64", false}} {
		c.w.ip("addr add " + c.v4 + " dev " + c.dev)
		c.w.ip("addr add " + c.v6 + " dev " + c.dev + " nodad")
		c.w.ip("link set " + c.dev + " up")
		if c.forward {
			c.w.must(c.w.do(func() error {
				os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
				os.WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", []byte("1"), 0)
				return nil
			}))
			c.w.ethtool(c.dev, unix.ETHTOOL_STXCSUM, 0)
		}
	}
	n.far.ip("route add default via 203.0.113.1")
	n.far.ip("-6 route add default via 2001:db8:9::1")
}

// ethtool sets a feature of a device.
func (w world) ethtool(name string, cmd, data uint32) {
	w.t.Helper()
	value := struct{ cmd, data uint32 }{cmd, data}
	w.must(w.do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		ifreq := struct {
			name [unix.IFNAMSIZ]byte
			at   unsafe.Pointer
			_    [16]byte
		}{at: unsafe.Pointer(&value)}
		copy(ifreq.name[:], name)
		if _, _, no := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&ifreq))); no != 0 {
			return no
		}
		return nil
	}))
}

// wrongSums is how many checksum errors the host has counted.
func (w world) wrongSums() (n int) {
	w.t.Helper()
	w.must(w.do(func() error {
		b, err := os.ReadFile("/proc/thread-self/net/snmp")
		six, _ := os.ReadFile("/proc/thread-self/net/snmp6")
		var keys []string
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if keys == nil {
				keys = f
				continue
			}
			for i, k := range keys {
				if strings.HasSuffix(k, "InCsumErrors") {
					var v int
					fmt.Sscan(f[i], &v)
					n += v
				}
			}
			keys = nil
		}
		for line := range strings.Lines(string(six)) {
			if f := strings.Fields(line); len(f) == 2 && strings.HasSuffix(f[0], "InCsumErrors") {
				var v int
				fmt.Sscan(f[1], &v)
				n += v
			}
		}
		return err
	}))
	return n
}

// start runs an engine between the two devices.
func (n *three) start(t testing.TB, programs ...engine.Program) (*engine.Engine, func()) {
	c := engine.Config{Log: slog.New(slog.DiscardHandler), Devices: []engine.DeviceConfig{
		{Device: n.tun[0], Forward: n.tun[1].Info().Name}, {Device: n.tun[1], Forward: n.tun[0].Info().Name}}}
	for _, p := range programs {
		c.Programs = append(c.Programs, engine.ProgramConfig{Program: p})
	}
	eng, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- eng.Run(ctx) }()
	return eng, func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// transfer sends data from near to the address, and returns what came.
func (n *three) transfer(to world, addr netip.AddrPort, dial netip.AddrPort, data []byte) ([]byte, error) {
	var l net.Listener
	if err := to.do(func() (err error) { l, err = net.Listen("tcp", addr.String()); return err }); err != nil {
		return nil, err
	}
	defer l.Close()
	var c net.Conn
	errs := make(chan error, 1)
	go func() {
		err := n.near.do(func() (err error) {
			c, err = (&net.Dialer{Timeout: 5 * time.Second}).Dial("tcp", dial.String())
			return err
		})
		if err == nil {
			c.SetDeadline(time.Now().Add(20 * time.Second))
			if _, err = c.Write(data); err == nil {
				err = c.(*net.TCPConn).CloseWrite()
			}
		}
		errs <- err
	}()
	l.(*net.TCPListener).SetDeadline(time.Now().Add(5 * time.Second))
	in, err := l.Accept()
	if err != nil {
		<-errs
		return nil, err
	}
	in.SetDeadline(time.Now().Add(20 * time.Second))
	got, err := io.ReadAll(in)
	in.Close()
	if werr := <-errs; err == nil {
		err = werr
	}
	if c != nil {
		c.Close()
	}
	return got, err
}

// on is a program with one handler.
func on(h engine.Handler) engine.Program {
	return engine.ProgramFunc("test", func(s *engine.Scope) error {
		_, err := s.Handle(h)
		return err
	})
}

// A transfer arrives right through each of the three ways, with every kind of edit, in
// the middle and one hop further.
func TestTransfers(t *testing.T) {
	type run func(*packet.Packet) engine.Verdict
	ttl := func(p *packet.Packet) engine.Verdict {
		ip, _ := p.IP()
		ip.SetTTL(ip.TTL() - 1)
		return engine.Pass()
	}
	port := func(p *packet.Packet) engine.Verdict {
		if tcp, ok := p.TCP(); ok && tcp.Dport() == 9000 {
			tcp.SetDport(9001)
		} else if ok && tcp.Sport() == 9001 {
			tcp.SetSport(9000)
		}
		return engine.Pass()
	}
	invert := func(p *packet.Packet) engine.Verdict {
		if tcp, ok := p.TCP(); ok && tcp.Dport() == 9000 && len(p.Payload()) > 0 {
			b := bytes.Clone(p.Payload())
			for i := range b {
				b[i] ^= 0xff
			}
			p.SetPayload(b)
		}
		return engine.Pass()
	}
	count := 0
	tenth := func(p *packet.Packet) engine.Verdict {
		if count++; count%10 == 0 {
			return engine.Drop("")
		}
		return engine.Pass()
	}
	read := func(p *packet.Packet) engine.Verdict { p.TCP(); return engine.Pass() }
	for _, tt := range []struct {
		name  string
		super bool
		run   run
		size  int
		port  uint16
		edit  byte
	}{
		{"nobody", false, nil, 16 << 20, 9000, 0},
		{"super", true, read, 16 << 20, 9000, 0},
		{"super, ttl", true, ttl, 16 << 20, 9000, 0},
		{"super, port", true, port, 16 << 20, 9001, 0},
		{"super, payload", true, invert, 8 << 20, 9000, 0xff},
		{"ordinary", false, read, 16 << 20, 9000, 0},
		{"ordinary, ttl", false, ttl, 16 << 20, 9000, 0},
		{"ordinary, port", false, port, 16 << 20, 9001, 0},
		{"ordinary, payload", false, invert, 8 << 20, 9000, 0xff},
		{"every tenth dropped", false, tenth, 300_000, 9000, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newThree(t, tundev.TUN, tundev.OffloadAuto)
			var programs []engine.Program
			if tt.run != nil {
				programs = append(programs, on(engine.Handler{Super: tt.super, Run: tt.run}))
			}
			eng, stop := n.start(t, programs...)
			defer stop()
			data := make([]byte, tt.size)
			r := rand.NewChaCha8([32]byte{1})
			r.Read(data)
			want := bytes.Clone(data)
			for i := range want {
				want[i] ^= tt.edit
			}
			for _, to := range []struct {
				w    world
				addr string
			}{{n.middle, "192.0.2.2"}, {n.middle, "2001:db8::2"}, {n.far, "203.0.113.2"}, {n.far, "2001:db8:9::2"}} {
				a := netip.MustParseAddr(to.addr)
				begin := time.Now()
				got, err := n.transfer(to.w, netip.AddrPortFrom(a, tt.port), netip.AddrPortFrom(a, 9000), data)
				if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
					t.Errorf("%s: %d bytes of %d, %v", a, len(got), len(want), err)
				}
				t.Logf("%s: %.1f Gbit/s", a, float64(len(got))*8/1e9/time.Since(begin).Seconds())
			}
			if wrong := n.far.wrongSums() + n.middle.wrongSums(); wrong > 0 {
				t.Errorf("%d wrong checksums", wrong)
			}
			s := eng.Stats()
			t.Logf("%v", s.Devices)
		})
	}
}

// Ethernet, too: headers stand 14 bytes further in.
func TestTransfersOverEthernet(t *testing.T) {
	n := newThree(t, tundev.TAP, tundev.OffloadAuto)
	_, stop := n.start(t, on(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
		if ip, ok := p.IP(); ok && p.Len() > 1000 {
			ip.SetTTL(ip.TTL() - 1)
		}
		return engine.Pass()
	}}))
	defer stop()
	data := make([]byte, 8<<20)
	rand.NewChaCha8([32]byte{2}).Read(data)
	for _, to := range []struct {
		w    world
		addr string
	}{{n.middle, "192.0.2.2"}, {n.middle, "2001:db8::2"}, {n.far, "203.0.113.2"}, {n.far, "2001:db8:9::2"}} {
		a := netip.AddrPortFrom(netip.MustParseAddr(to.addr), 9000)
		if got, err := n.transfer(to.w, a, a, data); err != nil || sha256.Sum256(got) != sha256.Sum256(data) {
			t.Errorf("%s: %d bytes of %d, %v", a, len(got), len(data), err)
		}
	}
	if wrong := n.far.wrongSums() + n.middle.wrongSums(); wrong > 0 {
		t.Errorf("%d wrong checksums", wrong)
	}
}

// A large buffer is used again, too.
func TestSuperPacketsAllocateNothing(t *testing.T) {
	w := newWorld(t)
	wk := attach(t, w.open(point), false)
	defer wk.q.Close()
	fd := -1
	w.must(w.do(func() (err error) {
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		if err = unix.Connect(fd, &unix.SockaddrInet4{Port: 7, Addr: [4]byte{192, 0, 2, 2}}); err != nil {
			return err
		}
		return unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 1000)
	}))
	defer unix.Close(fd)
	ps, payload, supers := make([]*packet.Packet, 64), make([]byte, 20_000), 0
	got := testing.AllocsPerRun(50, func() {
		for range 8 {
			unix.Write(fd, payload)
		}
		for {
			n, err := wk.q.Read(ps, &wk.pool)
			if n == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, p := range ps[:n] {
				if p.Segments() > 1 {
					supers++
				}
				wk.pool.Put(p)
			}
		}
	})
	if got > 0 {
		t.Errorf("%v allocations, want 0", got)
	}
	if supers == 0 {
		t.Skip("the kernel hands over no UDP super-packets: it takes Linux 6.2")
	}
}
