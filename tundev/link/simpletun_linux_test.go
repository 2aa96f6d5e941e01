package link_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
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

// answer is the host at the other end of the tunnel.
func answer(p *packet.Packet) *packet.Packet {
	if r := p.Reply(); r != nil && r.Len() > 0 {
		return r
	}
	return nil
}

// The kernel pings through simpletun, and a link answers: as its server and as its
// client, TUN and TAP.
func TestSimpletun(t *testing.T) {
	labtest.Require(t)
	program := simpletun(t)
	for _, tap := range []bool{false, true} {
		for _, weListen := range []bool{true, false} {
			name, flag, kind := "tun0", "-u", packet.IP
			if tap {
				name, flag, kind = "tap0", "-a", packet.Ethernet
			}
			t.Run(fmt.Sprintf("%s, its server %t", name, !weListen), func(t *testing.T) {
				leaks(t)
				sh(t, fmt.Sprintf("ip tuntap add %s mode %s; ip addr add 192.0.2.1/24 dev %[1]s; ip link set %[1]s up", name, name[:3]))
				t.Cleanup(func() { sh(t, fmt.Sprintf("ip tuntap del %s mode %s", name, name[:3])) })
				c := link.Config{Name: "link", Kind: link.TCP, Link: kind, Peer: []netip.Addr{netip.MustParseAddr("192.0.2.2")}}
				args := []string{"-i", name, flag, "-s", "-p", "55555"}
				if weListen {
					c.Local = anyPort
				} else {
					c.Remote = "127.0.0.1:55555"
				}
				w := open(t, c, answer)
				if weListen {
					at := netip.MustParseAddrPort(w.dev.Addr())
					args = []string{"-i", name, flag, "-c", at.Addr().String(), "-p", fmt.Sprint(at.Port())}
				}
				theirs := exec.Command(program, args...)
				theirs.Stderr = os.Stderr
				if err := theirs.Start(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- theirs.Wait() }()
				t.Cleanup(func() { theirs.Process.Kill() })
				w.until("simpletun", connected)
				// TAP asks by ARP first, and the largest packet is a full frame. One by one:
				// ping waits for the last of several for two round trips only.
				sh(t, "for i in $(seq 10); do ping -q -c 1 -W 10 -s 1472 -M do 192.0.2.2; done")
				if s := w.dev.Stats(); s.Malformed+s.TooBig+s.Empty+s.Torn > 0 {
					t.Errorf("%+v, want nothing wrong", s)
				}
				w.close()
				select {
				case err := <-ended:
					if err != nil {
						t.Errorf("simpletun ended with %v", err)
					}
				case <-time.After(patience):
					t.Error("simpletun did not see the end of the stream")
				}
			})
		}
	}
}
