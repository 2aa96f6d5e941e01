package host_test

import (
	"fmt"
	"net/netip"

	"github.com/tunscript/tunscript/tundev/host"
)

// The host's side of a device that a script answers on.
func ExampleHandle_Apply() {
	h, err := host.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	err = h.Apply("tun0", host.Settings{
		MTU:         1500,
		NoLinkLocal: true,
		Addrs: []host.Addr{{
			Prefix: netip.MustParsePrefix("192.0.2.1/32"),
			Peer:   netip.MustParseAddr("192.0.2.2"),
		}},
		Up:     true,
		Routes: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")},
	})
	if err != nil {
		fmt.Println(err) // tun0: set mtu 1500: no such device; see `ip link`...
	}
}

func ExampleAddr_String() {
	fmt.Println(host.Addr{Prefix: netip.MustParsePrefix("192.0.2.1/24")})
	fmt.Println(host.Addr{Prefix: netip.MustParsePrefix("2001:db8::1/128"), Peer: netip.MustParseAddr("2001:db8::2")})
	// Output:
	// 192.0.2.1/24
	// 2001:db8::1 peer 2001:db8::2/128
}
