package tundev_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
	"golang.org/x/sys/unix"
)

// Datagrams that a program hands to the kernel as one (UDP_SEGMENT) arrive one by one, each
// whole, in order, through each of the three ways and with every kind of edit, in the middle
// and one hop further.
func TestDatagrams(t *testing.T) {
	type edit struct {
		do   func(*packet.Packet) engine.Verdict
		want func(i int, sent []byte) []byte // of the i-th of a super-packet; nil: it is dropped
		port int                             // where they arrive
	}
	same := func(_ int, b []byte) []byte { return b }
	invert := func(b []byte) []byte {
		b = bytes.Clone(b)
		for i := range b[1:] { // the first byte is the number
			b[1+i] ^= 0xff
		}
		return b
	}
	const longer = "ten more.."
	pass := func(do func(p *packet.Packet, u packet.UDPView)) func(*packet.Packet) engine.Verdict {
		return func(p *packet.Packet) engine.Verdict {
			if u, ok := p.UDP(); ok {
				do(p, u)
			}
			return engine.Pass()
		}
	}
	var (
		none = edit{pass(func(*packet.Packet, packet.UDPView) {}), same, 9000}
		ttl  = edit{pass(func(p *packet.Packet, _ packet.UDPView) { ip, _ := p.IP(); ip.SetTTL(ip.TTL() - 1) }), same, 9000}
		port = edit{pass(func(_ *packet.Packet, u packet.UDPView) { u.SetDport(9001) }), same, 9001}
		turn = edit{pass(func(p *packet.Packet, _ packet.UDPView) { p.SetPayload(invert(p.Payload())) }), func(_ int, b []byte) []byte { return invert(b) }, 9000}
		grow = edit{pass(func(p *packet.Packet, _ packet.UDPView) { p.SetPayload(append(bytes.Clone(p.Payload()), longer...)) }),
			func(_ int, b []byte) []byte { return append(bytes.Clone(b), longer...) }, 9000}
		drop = edit{func(p *packet.Packet) engine.Verdict {
			if _, ok := p.UDP(); ok && p.Payload()[0]%10 == 9 {
				return engine.Drop("")
			}
			return engine.Pass()
		}, func(i int, b []byte) []byte {
			if i%10 == 9 {
				return nil
			}
			return b
		}, 9000}
		// The whole of a super-packet is one payload: of its datagrams the first has a number.
		turnAll = edit{pass(func(p *packet.Packet, _ packet.UDPView) {
			b := bytes.Clone(p.Payload())
			for i := range b {
				b[i] ^= 0xff
			}
			p.SetPayload(b)
		}), func(_ int, b []byte) []byte {
			b = invert(b)
			b[0] ^= 0xff
			return b
		}, 9000}
	)
	const auto, most, off = tundev.OffloadAuto, tundev.OffloadMax, tundev.OffloadOff
	for _, tt := range []struct {
		name    string
		offload tundev.Offload
		super   bool
		edit    edit
	}{
		{"nobody", auto, false, edit{nil, same, 9000}},
		{"super", auto, true, none}, {"super, ttl", auto, true, ttl}, {"super, port", auto, true, port}, {"super, payload", auto, true, turnAll},
		{"auto", auto, false, none}, {"auto, ttl", auto, false, ttl}, {"auto, longer", auto, false, grow}, {"auto, tenth", auto, false, drop},
		{"max", most, false, none}, {"max, ttl", most, false, ttl}, {"max, port", most, false, port}, {"max, payload", most, false, turn},
		{"max, longer", most, false, grow}, {"max, tenth", most, false, drop},
		{"off", off, false, grow},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newThree(t, tundev.TUN, tt.offload)
			var programs []engine.Program
			if tt.edit.do != nil {
				programs = append(programs, on(engine.Handler{Super: tt.super, Run: tt.edit.do}))
			}
			eng, stop := n.start(t, programs...)
			for _, to := range []struct {
				w    world
				addr string
			}{{n.middle, "192.0.2.2"}, {n.middle, "2001:db8::2"}, {n.far, "203.0.113.2"}, {n.far, "2001:db8:9::2"}} {
				n.datagrams(t, to.w, netip.MustParseAddr(to.addr), tt.edit.port, tt.edit.want)
			}
			if wrong := n.far.wrongSums() + n.middle.wrongSums(); wrong > 0 {
				t.Errorf("%d wrong checksums", wrong)
			}
			stop() // so that all is counted
			if got := eng.Stats().Devices["tun0"].Received; got < 4*rounds*each {
				t.Errorf("%d packets counted, want at least %d", got, 4*rounds*each)
			}
		})
	}
}

const each, rounds = 20, 25 // datagrams of a super-packet, and super-packets

// datagrams sends from near to port 9000 of addr, whose world listens on port, and fails
// unless each arrives as want says. Each begins with its number in the super-packet.
func (n *three) datagrams(t *testing.T, to world, addr netip.Addr, port int, want func(int, []byte) []byte) {
	t.Helper()
	const size = 1300
	var in, out *net.UDPConn
	to.must(to.do(func() (err error) {
		in, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(port))))
		return err
	}))
	defer in.Close()
	n.near.must(n.near.do(func() (err error) {
		out, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 9000)))
		return err
	}))
	defer out.Close()
	raw, _ := out.SyscallConn()
	raw.Control(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, size); err != nil {
			t.Error(err)
		}
	})
	buf := make([]byte, 65536)
	for round := range rounds {
		data := make([]byte, size*each-round) // the last is shorter
		for i := range data {
			data[i] = byte(i/size + round + i)
			if i%size == 0 {
				data[i] = byte(i / size)
			}
		}
		if _, err := out.Write(data); err != nil {
			t.Fatal(err)
		}
		for i := 0; len(data) > 0; i++ {
			sent := data[:min(size, len(data))]
			data = data[len(sent):]
			w := want(i, sent)
			if w == nil {
				continue
			}
			in.SetReadDeadline(time.Now().Add(5 * time.Second))
			got, err := in.Read(buf)
			if err != nil || !bytes.Equal(buf[:got], w) {
				t.Fatalf("%s: datagram %d of super-packet %d: %d bytes of %d, %v", addr, i, round, got, len(w), err)
			}
		}
	}
}

// The way out has a smaller MTU than what came in super-packets: of TCP all leaves, in
// segments that fit; datagrams are fragmented, or with DF dropped and counted.
func TestASmallerMTUBehindSuperPackets(t *testing.T) {
	const mtu = 1280
	n := newThree(t, tundev.TUN, tundev.OffloadAuto)
	n.middle.ip("link set tun1 mtu 1280")
	// It would ask for segments that fit.
	n.middle.ip("route replace 192.0.2.1/32 dev tun1 advmss 1460")
	n.middle.ip("-6 route replace 2001:db8::1/128 dev tun1 advmss 1440")
	eng, stop := n.start(t)
	for end := time.Now().Add(10 * time.Second); n.tun[1].Info().MTU != mtu; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the MTU is not known")
		}
	}
	came, long := 0, 0
	end := eng.Observe(engine.ObserverFunc(func(e *engine.Event) {
		if e.Packet == nil {
			return
		}
		size := e.Packet.Len()
		if g := int(e.Packet.GSO().Size); g > 0 {
			size = e.Packet.Layout().Data + g
		}
		switch {
		case e.Kind == engine.Received && e.Device == "tun0" && size > mtu:
			came++
		case e.Kind == engine.Sent && e.Device == "tun1" && size > mtu:
			long++
		}
	}), nil)
	data := bytes.Repeat([]byte("a smaller MTU"), 100_000)
	for _, addr := range []string{"192.0.2.2", "2001:db8::2"} {
		a := netip.AddrPortFrom(netip.MustParseAddr(addr), 9000)
		if got, err := n.transfer(n.middle, a, a, data); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes of %d, %v", addr, len(got), len(data), err)
		}
	}
	// Of datagrams larger than the MTU together Linux sets no DF by itself.
	n.datagrams(t, n.middle, netip.MustParseAddr("192.0.2.2"), 9000, func(_ int, b []byte) []byte { return b })
	var out *net.UDPConn
	n.near.must(n.near.do(func() (err error) {
		out, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.2:9000")))
		return err
	}))
	raw, _ := out.SyscallConn()
	raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, 1400)
		unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	})
	if _, err := out.Write(make([]byte, 14_000)); err != nil {
		t.Error(err)
	}
	out.Close()
	for end := time.Now().Add(10 * time.Second); eng.Stats().Reasons[engine.ReasonTooBig] < 10 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	end()
	stop()
	if n := eng.Stats().Reasons[engine.ReasonTooBig]; n != 10 {
		t.Errorf("%d datagrams are too big, want 10", n)
	}
	if came == 0 || long > 0 {
		t.Errorf("of %d larger than the MTU %d left so", came, long)
	}
}
