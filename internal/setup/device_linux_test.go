package setup_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/internal/setup"
	"github.com/tunscript/tunscript/tundev/host"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// Each key of a [[device]] that concerns the host, and what ip(8) says of it.
func TestKeysOfADeviceAsIPSeesThem(t *testing.T) {
	labtest.Need(t, "ip")
	const link, addr, route, route6 = "-d link show dev d0", "addr show dev d0", "route show dev d0", "-6 route show dev d0"
	for _, c := range []struct {
		keys string
		ip   string
		want []string // and after a "!" what it must not say
	}{
		{``, link, []string{"<POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 1500", "qlen 1000", "tun type tun pi off vnet_hdr on persist off"}},
		{``, addr, []string{"!inet"}},
		{`kind = "tap"`, link, []string{"<BROADCAST,MULTICAST,UP,LOWER_UP>", "link/ether", "tun type tap"}},

		{`address = "192.0.2.1/32"` + "\n" + `peer = "192.0.2.2"`, addr, []string{"inet 192.0.2.1 peer 192.0.2.2/32 scope global d0"}},
		{`address = "192.0.2.1/32"` + "\n" + `peer = "192.0.2.2"`, route, []string{"192.0.2.2 proto kernel scope link src 192.0.2.1"}},
		{`address = "2001:db8::1/128"` + "\n" + `peer = "2001:db8::2"`, addr, []string{"inet6 2001:db8::1 peer 2001:db8::2/128 scope global"}},
		{`address = "2001:db8::1/128"` + "\n" + `peer = "2001:db8::2"`, route6, []string{"2001:db8::2 "}},

		{`address = "192.0.2.1/24"`, addr, []string{"inet 192.0.2.1/24 brd 192.0.2.255 scope global"}},
		{`address = "192.0.2.1/24"`, route, []string{"192.0.2.0/24 proto kernel scope link src 192.0.2.1"}},
		{`address = "192.0.2.1/24"` + "\n" + `peer = "192.0.2.2"`, addr, []string{"inet 192.0.2.1/24", "!peer"}}, // a member of the network
		{`address = "2001:db8::1/64"`, route6, []string{"2001:db8::/64 "}},

		// RFC 3021: two addresses, neither of them the network nor the broadcast.
		{`address = "192.0.2.0/31"` + "\n" + `peer = "192.0.2.1"`, addr, []string{"inet 192.0.2.0/31 scope global", "!brd"}},
		{`address = "192.0.2.0/31"` + "\n" + `peer = "192.0.2.1"`, route, []string{"192.0.2.0/31 proto kernel scope link src 192.0.2.0"}},
		{`address = "192.0.2.3/31"` + "\n" + `kind = "tap"`, addr, []string{"inet 192.0.2.3/31 scope global"}},

		{`address = ["192.0.2.1/32", "198.51.100.1/24", "2001:db8::1/128", "2001:db8:1::1/64"]` + "\n" + `peer = ["192.0.2.2", "2001:db8::2"]`, addr,
			[]string{"inet 192.0.2.1 peer 192.0.2.2/32", "inet 198.51.100.1/24", "inet6 2001:db8::1 peer 2001:db8::2/128", "inet6 2001:db8:1::1/64"}},

		{`mtu = 1400`, link, []string{"mtu 1400"}},
		{`mtu = 65535`, link, []string{"mtu 65535"}},
		{`kind = "tap"` + "\n" + `mac = "02:00:00:00:00:07"`, link, []string{"link/ether 02:00:00:00:00:07"}},
		{`txqueuelen = 7`, link, []string{"qlen 7"}},
		{`persist = true` + "\n" + `owner = 0` + "\n" + `group = 0`, link, []string{"persist on user root group root"}},
		{`pi = true`, link, []string{"pi on vnet_hdr off"}},
		{`pi = true` + "\n" + `kind = "tap"`, link, []string{"type tap pi on"}},
		{`offload = "off"`, link, []string{"pi off vnet_hdr off"}},
		{`address = "192.0.2.1/32"` + "\n" + `route = ["198.51.100.0/24", "203.0.113.9/32"]`, route, []string{"198.51.100.0/24 scope link", "203.0.113.9 scope link"}},
		{`address = "2001:db8::1/128"` + "\n" + `route = "2001:db8:1::/48"`, route6, []string{"2001:db8:1::/48 "}},
	} {
		cfg, err := config.Parse("test.toml", []byte("[[device]]\nname = \"d0\"\n"+c.keys))
		if err != nil {
			t.Errorf("%s: %v", c.keys, err)
			continue
		}
		var out []byte
		var after host.Link
		n := labtest.Namespace(t)
		err = n.Do(func() error {
			devices, err := setup.Devices(cfg, setup.Options{})
			if err != nil {
				return err
			}
			out, err = exec.Command("ip", strings.Fields(c.ip)...).CombinedOutput()
			setup.Close(devices)
			if h, herr := host.Open(); herr == nil {
				after, _ = h.Link("d0")
				h.Close()
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v\n%s", c.keys, err, out)
		}
		for _, want := range c.want {
			not, no := strings.CutPrefix(want, "!")
			if no == strings.Contains(string(out), not) {
				t.Errorf("%s: want %q in `ip %s`:\n%s", c.keys, want, c.ip, out)
			}
		}
		if stays := strings.Contains(c.keys, "persist"); stays != (after.Name != "") {
			t.Errorf("%s: after it was closed there is %+v", c.keys, after)
		}
	}
}
