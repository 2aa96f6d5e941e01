package host_test

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// echo is an echo request.
func echo(t *testing.T, src, dst netip.Addr) []byte {
	t.Helper()
	out := gopacket.NewSerializeBuffer()
	opt := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	var err error
	if src.Is4() {
		err = gopacket.SerializeLayers(out, opt,
			&layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolICMPv4, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()},
			&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 7, Seq: 1})
	} else {
		ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolICMPv6, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
		icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}
		icmp.SetNetworkLayerForChecksum(ip)
		err = gopacket.SerializeLayers(out, opt, ip, icmp, &layers.ICMPv6Echo{Identifier: 7, SeqNumber: 1})
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// answered says whether an echo of src's comes back from dst, asked for a while: the
// other namespace's neighbours may have to be found first.
func answered(t *testing.T, fd int, src, dst netip.Addr, within time.Duration) bool {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); {
		if _, err := unix.Write(fd, echo(t, src, dst)); err != nil {
			t.Fatal(err)
		}
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			if n, _ := unix.Poll(p, 100); n < 1 {
				break
			}
			buf := make([]byte, 2000)
			n, err := unix.Read(fd, buf)
			if err != nil {
				break
			}
			got := gopacket.NewPacket(buf[:n], layers.LayerTypeIPv4, gopacket.Default)
			if src.Is6() {
				got = gopacket.NewPacket(buf[:n], layers.LayerTypeIPv6, gopacket.Default)
			}
			if net := got.NetworkLayer(); net != nil && net.NetworkFlow().Dst().String() == src.String() && net.NetworkFlow().Src().String() == dst.String() {
				return true
			}
		}
	}
	return false
}

// sysctls is what forwarding changes.
func (w world) sysctls() (all map[string]string) {
	w.t.Helper()
	all = map[string]string{}
	w.must(w.do(func() error {
		for _, v6 := range []bool{false, true} {
			list, _, err := host.Forwarding(v6)
			if err != nil {
				return err
			}
			for _, c := range list {
				all[c.Path] = c.Text
			}
			all["net/ipv6/conf/veth0/accept_ra"] = read(w.t, "net/ipv6/conf/veth0/accept_ra")
		}
		return nil
	}))
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/" + path)
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(string(b))
}

// Somebody behind tun0 whom nobody knows a way back to asks a host on the far side.
func TestMasquerade(t *testing.T) {
	w := newWorld(t)
	far := world{t: t}
	n := labtest.Namespace(t)
	h, err := n.Host()
	w.must(err)
	defer h.Close()
	far.Handle, far.do = h, n.Do

	w.ip("link add veth0 type veth peer name veth1")
	w.must(w.do(func() error { return n.Adopt("veth1") }))
	for _, side := range []struct {
		world
		name, v4, v6 string
	}{{w, "veth0", "203.0.113.1/24", "2001:db8:3::1/64"}, {far, "veth1", "203.0.113.2/24", "2001:db8:3::2/64"}} {
		w.must(side.Apply(side.name, host.Settings{Up: true, Addrs: []host.Addr{
			{Prefix: pfx(side.v4)}, {Prefix: pfx(side.v6), NoDAD: true},
		}}))
	}
	fd := w.device("tun0", unix.IFF_TUN)
	w.must(w.Apply("tun0", host.Settings{NoLinkLocal: true, Up: true, Addrs: []host.Addr{
		{Prefix: pfx("192.0.2.1/24")}, {Prefix: pfx("2001:db8::1/64")},
	}}))
	was := w.sysctls()
	labtest.Need(t, "nft")
	ruleset := func() (out string) {
		w.must(w.do(func() error { out = run(t, "nft", "list", "ruleset"); return nil }))
		return out
	}

	asks := []struct{ src, dst netip.Addr }{
		{addr("192.0.2.7"), addr("203.0.113.2")},
		{addr("2001:db8::7"), addr("2001:db8:3::2")},
	}
	for _, ask := range asks {
		if answered(t, fd, ask.src, ask.dst, 300*time.Millisecond) {
			t.Errorf("%s is answered without being masked", ask.src)
		}
	}
	var changes []host.Change
	w.must(w.do(func() error {
		for _, v6 := range []bool{false, true} {
			list, on, err := host.Forwarding(v6)
			if err != nil || on {
				t.Errorf("forwarding already: %t, %v", on, err)
			}
			changes = append(changes, list...)
			if err := host.Forward(list); err != nil {
				return err
			}
		}
		changes = append(changes, host.Change{Kind: host.KindMasquerade, Text: "tunscript-1"})
		for range 2 { // again changes nothing
			if err := host.Masquerade("tunscript-1", []string{"tun0", "tun1"}); err != nil {
				return err
			}
		}
		return nil
	}))
	if got := read6(w, "veth0"); got != "2" {
		t.Errorf("accept_ra of the way out is %s: the host would forget its default route", got)
	}
	for _, ask := range asks {
		if !answered(t, fd, ask.src, ask.dst, 5*time.Second) {
			t.Errorf("%s is not answered\n%s", ask.src, ruleset())
		}
	}
	w.must(w.do(func() error {
		for _, c := range slices.Backward(changes) {
			for range 2 {
				if err := w.Undo(c); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	if left := ruleset(); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
	for path, value := range w.sysctls() {
		if value != was[path] {
			t.Errorf("%s is %s and was %s", path, value, was[path])
		}
	}
}

func read6(w world, name string) (value string) {
	w.must(w.do(func() error { value = read(w.t, "net/ipv6/conf/"+name+"/accept_ra"); return nil }))
	return value
}

// The switch for all devices has side effects, which are put back, too: what this host
// did before with redirects, and a device that forwarded when the others did not.
func TestForwardingIsPutBackDeviceByDevice(t *testing.T) {
	w := newWorld(t)
	w.ip("link add veth0 type veth peer name veth1")
	w.must(w.do(func() error {
		for path, v := range map[string]string{"all/accept_redirects": "0", "veth0/forwarding": "1"} {
			if err := os.WriteFile("/proc/sys/net/ipv4/conf/"+path, []byte(v), 0); err != nil {
				return err
			}
		}
		return nil
	}))
	was := w.sysctls()
	w.must(w.do(func() error {
		list, _, err := host.Forwarding(false)
		if err != nil {
			return err
		}
		if err := host.Forward(list); err != nil {
			return err
		}
		if _, on, err := host.Forwarding(false); !on || err != nil {
			t.Errorf("switched on: %t, %v", on, err)
		}
		for _, c := range slices.Backward(list) {
			if err := w.Undo(c); err != nil {
				return err
			}
		}
		return nil
	}))
	for path, value := range w.sysctls() {
		if value != was[path] {
			t.Errorf("%s is %s and was %s", path, value, was[path])
		}
	}
}
