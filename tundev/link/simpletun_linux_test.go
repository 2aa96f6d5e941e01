package link_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/link"
)

// simpletun compiles the C program of testdata.
func simpletun(t *testing.T) string {
	t.Helper()
	labtest.Need(t, "gcc", "ip", "ping")
	if _, err := os.Stat("/usr/include/stdio.h"); err != nil {
		t.Skip("needs the headers of C: sudo apt-get install libc6-dev")
	}
	path := filepath.Join(t.TempDir(), "simpletun")
	if out, err := exec.Command("gcc", "-O2", "-Wall", "-Werror", "-o", path, "testdata/simpletun.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return path
}

// sh runs a command that must succeed, and returns what it says.
func sh(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.Command("sh", "-ec", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

// A simple is the C program at the other end of a tunnel, before a device of the network
// of the test.
type simple struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan error
}

func startSimpletun(t *testing.T, program string, args ...string) *simple {
	t.Helper()
	s := &simple{t, exec.Command(program, args...), make(chan error, 1)}
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill() })
	go func() { s.ended <- s.cmd.Wait() }()
	return s
}

// wait waits until it has seen the end of the stream.
func (s *simple) wait() {
	s.t.Helper()
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("simpletun ended with %v", err)
		}
	case <-time.After(patience):
		s.t.Error("simpletun did not see the end of the stream")
	}
}

// A host behind simpletun and one behind a link ping each other and send each other TCP:
// the program as the server and as the client, TUN and TAP.
func TestSimpletun(t *testing.T) {
	labtest.Require(t)
	program := simpletun(t)
	for _, tt := range []struct {
		name     string // of the devices, at either end
		flag     string // simpletun's
		kind     tundev.Kind
		link     packet.LinkType
		weListen bool
	}{
		{"tun0", "-u", tundev.TUN, packet.IP, true},
		{"tun0", "-u", tundev.TUN, packet.IP, false},
		{"tap0", "-a", tundev.TAP, packet.Ethernet, true},
		{"tap0", "-a", tundev.TAP, packet.Ethernet, false},
	} {
		t.Run(fmt.Sprintf("%s, its server %t", tt.name, !tt.weListen), func(t *testing.T) {
			leaks(t)
			sh(t, fmt.Sprintf("ip tuntap add %s mode %s; ip addr add 192.0.2.1/24 dev %[1]s; ip link set %[1]s up", tt.name, tt.kind))
			t.Cleanup(func() { sh(t, fmt.Sprintf("ip tuntap del %s mode %s", tt.name, tt.kind)) })
			host, err := lab.CurrentNamespace()
			if err != nil {
				t.Fatal(err)
			}
			defer host.Close()
			c := link.Config{Kind: link.TCP, Link: tt.link, Remote: "127.0.0.1:55555"}
			args := []string{"-i", tt.name, tt.flag, "-s", "-p", "55555"}
			if tt.weListen {
				c.Local, c.Remote = anyPort, ""
			}
			ours := newEnd(t, tundev.Config{Name: tt.name, Kind: tt.kind, Address: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24")}}, c)
			if tt.weListen {
				addr, port, _ := net.SplitHostPort(ours.link.Addr())
				args = []string{"-i", tt.name, tt.flag, "-c", addr, "-p", port}
			}
			program, theirs := startSimpletun(t, program, args...), &end{t: t, host: host}
			ours.connected()
			// TAP asks by ARP first, and the largest packet is a full frame. One by one:
			// ping waits for the last of several for two round trips only.
			sh(t, "for i in $(seq 5); do ping -q -c 1 -W 10 -s 1472 -M do 192.0.2.2; done")
			iperf(t, ours, theirs, "192.0.2.1", "-n", "20M")
			iperf(t, theirs, ours, "192.0.2.2", "-n", "20M")
			if s := ours.link.Stats(); s.Malformed+s.TooBig+s.Empty+s.Torn > 0 {
				t.Errorf("%+v, want nothing wrong", s)
			}
			ours.eng.Close()
			program.wait()
		})
	}
}
