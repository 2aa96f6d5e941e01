package config

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestEveryType reads one value of every type, each in another form.
func TestEveryType(t *testing.T) {
	c, err := Parse("config.toml", []byte("\ufeff"+`
engine.user = 1000
engine.group = "nogroup"
limits = { memory = "1.5GiB", string = 4096 }
[[device]]
name    = "tap%d"
kind    = "tap"
address = "192.0.2.1/24"
peer    = ["192.0.2.2", "192.0.2.3"]
mac     = "02-00-00-00-00-01"
[[device]]
name   = "link"
kind   = "tcp"
local  = "[2001:db8::1]:7001"
remote = "host.example:7002"
[[script]]
path    = "a.lua"
options = { loss = 0.5, count = 3, name = "x", on = true }
[[impair]]
delay = "1.5s"
rate  = "2.5 Mbit/s"
loss  = 1
[metrics]
listen = "[::1]:9100"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Engine.User, want.Engine.Group = "1000", "nogroup"
	want.Limits.Memory, want.Limits.String = 3*GiB/2, 4*KiB
	tap, link, script := DefaultDevice(), DefaultDevice(), DefaultScript()
	tap.Name, tap.Kind = "tap%d", TAP
	tap.Address = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}
	tap.Peer = []netip.Addr{netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")}
	tap.MAC = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	link.Name, link.Kind = "link", TCP
	link.Local, link.Remote = netip.MustParseAddrPort("[2001:db8::1]:7001"), HostPort{"host.example", 7002}
	script.Path = "a.lua"
	script.Options = map[string]any{"loss": 0.5, "count": int64(3), "name": "x", "on": true}
	want.Devices, want.Scripts = []Device{tap, link}, []Script{script}
	bad := DefaultImpair()
	bad.Delay, bad.Rate, bad.Loss = 1500*time.Millisecond, 2_500_000, 1
	want.Impair = []Impair{bad}
	want.Metrics.Listen = netip.MustParseAddrPort("[::1]:9100")
	if diff := cmp.Diff(want, c, compareFields...); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// TestPathsAreRelativeToTheFile: it can be started from anywhere.
func TestPathsAreRelativeToTheFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte(`
engine.errors = "errors.pcapng"
control.socket = "run/ctl"
[[device]]
name = "in"
kind = "pcap"
path = "../in.pcap"
[[device]]
name = "link"
kind = "tcp"
remote = "host.example:1"
cert = "a.pem"
key = "/etc/a.key"
[[script]]
path = "a.lua"
`), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Engine.Errors, c.Control.Socket, c.Devices[0].Path, c.Devices[1].Cert, c.Devices[1].Key, c.Devices[1].CA, c.Scripts[0].Path}
	want := []string{
		filepath.Join(dir, "errors.pcapng"), filepath.Join(dir, "run/ctl"), filepath.Join(filepath.Dir(dir), "in.pcap"),
		filepath.Join(dir, "a.pem"), "/etc/a.key", "", filepath.Join(dir, "a.lua"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// TestUnreadable: what Load says when there is nothing to read.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		path, want string
		is         error
	}{
		{filepath.Join(dir, "none.toml"), "none.toml: no such file; start from config.toml.example, or name another file with -c", fs.ErrNotExist},
		{dir, ": cannot be read: is a directory; name a TOML file with -c", nil},
		{write("large.toml", strings.Repeat("#", maxFile+1)), "large.toml: is larger than 1MiB; this is hardly a configuration", errTooLarge},
		{write("utf16.toml", "\xff\xfea\x00"), "utf16.toml:1:1: this is UTF-16; save the file as UTF-8 text", nil},
		{write("zip.toml", "PK\x03\x04\x00"), "zip.toml:1:1: this is not text; save the file as UTF-8 text", nil},
		{write("latin1.toml", "engine.errors = \"\xe9\""), "latin1.toml:1:17: invalid UTF-8 byte: 0xe9; save the file as UTF-8", nil},
		{write("empty.toml", ""), `empty.toml: device: there is no device; add [[device]] with name = "tun0"`, nil},
	}
	for _, tt := range tests {
		_, err := Load(tt.path)
		mistakes, ok := errors.AsType[Errors](err)
		if !ok || len(mistakes) != 1 || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("Load(%s):\n got %v (%T)\nwant %s", tt.path, err, err, tt.want)
		}
		if tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("Load(%s): %v is not %v", tt.path, err, tt.is)
		}
	}
}

// TestMistakeLater: what is found out when a file is opened looks like what is
// found out when it is read, and points at the nearest thing there is.
func TestMistakeLater(t *testing.T) {
	c, err := Parse("config.toml", []byte("[[device]]\nname = \"tun0\"\n\n[[impair]]\nloss   = 0.1\nfilter = \"udp prot 53\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("there is no \"prot\"")
	tests := []struct {
		key, want string
	}{
		{"impair[1].filter", "config.toml:6:10: impair[1].filter: there is no \"prot\"; did you mean \"port\"?\n" +
			"    6 | filter = \"udp prot 53\"\n" +
			"      |          ^^^^^^^^^^^^^\n"},
		{"device[1].owner", "config.toml:1:1: device[1].owner: there is no \"prot\"; did you mean \"port\"?\n" +
			"    1 | [[device]]\n" +
			"      | ^^^^^^^^^^\n"},
		{"control.socket", "config.toml: control.socket: there is no \"prot\"; did you mean \"port\"?\n"},
	}
	for _, tt := range tests {
		e := c.Mistake(tt.key, cause)
		e.Suggestion = `did you mean "port"?`
		if got := e.Show(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.key, got, tt.want)
		}
		if !errors.Is(e, cause) {
			t.Errorf("%s: the cause is lost", tt.key)
		}
	}
}

// TestCheckWithoutFile: a Config made in Go has the same mistakes, without
// lines.
func TestCheckWithoutFile(t *testing.T) {
	c := Default()
	d := DefaultDevice()
	d.Name, d.Forward, d.Path = "tun0", "tun1", "in.pcap"
	c.Devices = []Device{d}
	want := `device[1].path: a tun device has no path; it belongs to kind = "pcap"
device[1].forward: there is no device "tun1"; did you mean "tun0"?`
	if err := c.Check(); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	c.Devices[0].Forward, c.Devices[0].Path = "", ""
	if err := c.Check(); err != nil {
		t.Errorf("mended: %v", err)
	}
}

// TestChangedAfterLoad: what a flag breaks is found at the key in the file.
func TestChangedAfterLoad(t *testing.T) {
	c, err := Parse("config.toml", []byte("[[device]]\nname = \"tun0\"\nqueues = 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatalf("a second look finds %v", err)
	}
	c.Devices[0].Queues = 2
	if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), "config.toml:3:10: device[1].queues: 2 queues") {
		t.Errorf("got %v", err)
	}
}

// TestManyMistakes: all are in the error, twenty are shown.
func TestManyMistakes(t *testing.T) {
	text := "[[device]]\nname = \"tun0\"\n" + strings.Repeat("[[impair]]\nloss = 2\n", 30)
	_, err := Parse("config.toml", []byte(text))
	mistakes, _ := errors.AsType[Errors](err)
	if len(mistakes) != 30 {
		t.Fatalf("%d mistakes, want 30", len(mistakes))
	}
	if got := mistakes.Show(); !strings.HasSuffix(got, "and 10 more\n") || strings.Count(got, "^") != 20 {
		t.Errorf("shown:\n%s", got)
	}
	if first, ok := errors.AsType[*Error](err); !ok || first.Line != 4 || first.Key != "impair[1].loss" {
		t.Errorf("the first is %+v", first)
	}
}
