package flow_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
)

// The workers of a fuzzing run talk through descriptors, and must stay where they are.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.fuzz"); f != nil && f.Value.String() != "" {
		os.Exit(m.Run())
	}
	labtest.Main(m)
}

// A kernelRouter is this host's kernel between two TUN devices: the inside and the
// outside of a NAT.
type kernelRouter struct {
	testing.TB
	fds [2]int
}

func newKernelRouter(t testing.TB, v6 bool, to netip.Addr, port uint16) *kernelRouter {
	r := &kernelRouter{TB: t}
	for path, v := range map[string]string{
		"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1", "ipv4/conf/all/rp_filter": "0", "ipv4/conf/default/rp_filter": "0",
		"ipv6/conf/default/accept_dad": "0", "ipv6/conf/default/router_solicitations": "0",
	} {
		if err := os.WriteFile("/proc/sys/net/"+path, []byte(v), 0); err != nil {
			t.Fatal(err)
		}
	}
	addrs := [2][]string{{"192.0.2.254/24", "2001:db8::fe/64"}, {public.String() + "/24", public6.String() + "/64"}}
	for i, name := range []string{"inside", "outside"} {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		ifr, _ := unix.NewIfreq(name)
		ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
			t.Fatal(err)
		}
		r.fds[i] = fd
		link, err := netlink.LinkByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addrs[i] {
			addr, _ := netlink.ParseAddr(a)
			addr.Flags = unix.IFA_F_NODAD
			if err := netlink.AddrAdd(link, addr); err != nil {
				t.Fatal(err)
			}
		}
		if err := netlink.LinkSetUp(link); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			for _, all := range []string{"0.0.0.0/0", "::/0"} {
				dst, _ := netlink.ParseIPNet(all)
				if err := netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: dst}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := translate(v6, to, port); err != nil {
		panic(ended{errors.Join(errNoNAT, err)})
	}
	return r
}

// through is what becomes of p, which comes in by one device, at the other.
func (r *kernelRouter) through(in int, p *packet.Packet) []byte {
	r.Helper()
	if _, err := unix.Write(r.fds[in], p.Bytes()); err != nil {
		r.Fatal(err)
	}
	buf := make([]byte, 65536)
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); {
		poll := []unix.PollFd{{Fd: int32(r.fds[1-in]), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, 100); err != nil && err != unix.EINTR {
			r.Fatal(err)
		}
		n, err := unix.Read(r.fds[1-in], buf)
		if err != nil {
			continue
		}
		q, err := packet.Parse(buf[:n], packet.IP)
		if err != nil {
			r.Fatal(err)
		}
		if icmp, ok := q.ICMPv6(); ok && icmp.Type() > packet.EchoReply6 {
			continue // the kernel's own: neighbors and routers
		}
		return q.Bytes()
	}
	r.Fatalf("%v does not come through", p)
	return nil
}

// What the kernel's NAT makes of packets, byte for byte, is what we make of them: of
// both directions, of ICMP errors from routers and hosts, and of what these quote.
func TestLikeTheKernel(t *testing.T) {
	for _, tt := range []struct {
		name     string
		v6, dest bool
		port     uint16
	}{
		{name: "masquerade"}, {name: "masquerade6", v6: true},
		{name: "dnat", dest: true}, {name: "dnat6", dest: true, v6: true},
		{name: "port", dest: true, port: 8080}, {name: "port6", dest: true, port: 8080, v6: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := labtest.Namespace(t)
			err := n.Do(func() (err error) {
				defer func() {
					if why, ok := recover().(ended); ok {
						err = why
					}
				}()
				likeTheKernel(elsewhere{t}, tt.v6, tt.dest, tt.port)
				return nil
			})
			switch {
			case errors.Is(err, errNoNAT):
				t.Skip("needs nf_tables with NAT in the kernel: ", err)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// elsewhere is a test on another goroutine than its own, which it may not end there.
type elsewhere struct{ testing.TB }

type ended struct{ error }

func (e ended) Unwrap() error { return e.error }

func (e elsewhere) Fatal(args ...any) { e.TB.Helper(); panic(ended{errors.New(fmt.Sprint(args...))}) }
func (e elsewhere) Fatalf(format string, args ...any) {
	e.TB.Helper()
	panic(ended{fmt.Errorf(format, args...)})
}

var errNoNAT = errors.New("the kernel does not take the rules")

func likeTheKernel(t testing.TB, v6, dest bool, port uint16) {
	src, dst, mask, between, to := host, server, public, router, netip.Addr{}
	if v6 {
		src, dst, mask, between = host6, server6, public6, router6
	}
	rewrite := flow.Rewrite{Src: mask, FreeSport: true}
	far, near := dst, mask // whom the far side is, and who it answers to
	if dest {
		to = netip.MustParseAddr("198.51.100.99")
		if v6 {
			to = netip.MustParseAddr("2001:db8:1::99")
		}
		rewrite = flow.Rewrite{Dst: to, Dport: port}
		far, near = to, src
	}
	kernel := newKernelRouter(t, v6, to, port)
	w := newWorld(t, 0)
	// compare sends p through both, and returns what leaves.
	compare := func(what string, in int, p *packet.Packet) *packet.Packet {
		t.Helper()
		want := kernel.through(in, p)
		f := w.get(p)
		if !f.Rewritten() {
			if err := f.Rewrite(gate, rewrite); err != nil {
				t.Fatal(err)
			}
			w.Settle(f, true, in, 1-in)
		}
		ip, _ := p.IP()
		ip.SetTTL(ip.TTL() - 1) // a router's part, which is not ours
		f.Apply(p)
		if !bytes.Equal(p.Bytes(), want) {
			t.Errorf("%s: the kernel makes of it\n%x, we\n%x", what, want, p.Bytes())
		}
		q, err := packet.Parse(want, packet.IP)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	for i, size := range []int{0, 1, 700, 1401} {
		payload := string(bytes.Repeat([]byte{0xa5, byte(size), 7}, size/3+1)[:size])
		sport := uint16(4000 + i)
		there := []*packet.Packet{udp(t, src, sport, dst, 53, payload), tcp(t, src, sport, dst, 80, "S", payload)}
		if port == 0 { // an echo has none
			there = append(there, echo(t, src, dst, sport, false))
		}
		for _, p := range there {
			name := fmt.Sprint(p)
			out := compare(name, 0, p)
			compare(name+": a router's error", 1, reported(t, between, out))
			if out.Layout().Proto == packet.ProtoUDP {
				e := out.Unreachable(packet.UnreachablePort, 0)
				e.Finish()
				compare(name+": the host's error", 1, e)
			}
			if !v6 {
				short := build(t, packet.IPv4{Src: between, Dst: near, ID: 9}, packet.ICMP{Type: packet.TimeExceeded}, packet.Payload(out.Bytes()[:28]))
				compare(name+": an error that quotes little", 1, short)
			}
			var back *packet.Packet
			switch out.Layout().Proto {
			case packet.ProtoUDP:
				back = udp(t, far, cmp.Or(port, 53), near, sport, payload+"!")
			case packet.ProtoTCP:
				back = tcp(t, far, cmp.Or(port, 80), near, sport, "SA", "")
			default:
				back = echo(t, far, near, sport, true)
			}
			home := compare(name+": the answer", 1, back)
			if home.Layout().Proto == packet.ProtoUDP {
				e := home.Unreachable(packet.UnreachablePort, 0)
				e.Finish()
				compare(name+": an error about the answer", 0, e)
			}
		}
	}
}
