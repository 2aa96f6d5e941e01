package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a `tunscript run` was told that its device is, by its arguments.
func TestWhatAProgramWasTold(t *testing.T) {
	dir := t.TempDir()
	const toml = `
[[device]]
name = "tun1"
address = "198.51.100.1/32"
peer = "198.51.100.2"
route = "203.0.113.0/24"
`
	if err := os.WriteFile(filepath.Join(dir, "c.toml"), []byte(toml), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args          string
		address, peer []string
		mtu, routes   int
	}{
		{"run --device tun1 --address 192.0.2.1/32,2001:db8::1/128 --peer=192.0.2.2 --mtu 1400",
			[]string{"192.0.2.1/32", "2001:db8::1/128"}, []string{"192.0.2.2"}, 1400, 0},
		{"run -c c.toml", []string{"198.51.100.1/32"}, []string{"198.51.100.2"}, 0, 1},
		{"run --config=" + filepath.Join(dir, "c.toml"), []string{"198.51.100.1/32"}, []string{"198.51.100.2"}, 0, 1},
		{"run -c missing.toml", nil, nil, 0, 0},
		{"run -c", nil, nil, 0, 0},
		{"run --address nonsense --peer 7 --mtu much", nil, nil, 0, 0},
		{"lab --address 192.0.2.1/32", nil, nil, 0, 0},
		{"run", nil, nil, 0, 0},
	} {
		w := toldBy(append([]string{"tunscript"}, strings.Fields(c.args)...), dir, "tun1")
		var address, peer []string
		for _, a := range w.Address {
			address = append(address, a.String())
		}
		for _, a := range w.Peer {
			peer = append(peer, a.String())
		}
		if !slices.Equal(address, c.address) || !slices.Equal(peer, c.peer) || w.MTU != c.mtu || len(w.Route) != c.routes {
			t.Errorf("%s: told %+v", c.args, w)
		}
	}
}
