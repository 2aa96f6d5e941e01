package filter

import (
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// Any text compiles or is refused with a column inside it, and what compiles runs.
func FuzzCompile(f *testing.F) {
	for _, text := range expressions(f) {
		f.Add(text)
	}
	for _, text := range []string{"(((", "1:2:3:4:5:6:7:8:9", "::1.2.3.4", "tcp[", "\\", "é", "port 1-2-3", "vlan vlan vlan", "len << 4294967295 = 0"} {
		f.Add(text)
	}
	ip, eth := parsed(f, packet.IP, pingV4), parsed(f, packet.Ethernet, ethV4+pingV4)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Compile(text)
		if err != nil {
			e, ok := err.(*SyntaxError)
			if !ok || e.Column < 1 || e.Column > len(text)+1 || e.Message == "" {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		c.Match(ip)
		c.Match(eth)
		if again, err := Compile("(" + text + "\n)"); err == nil && (again.Match(ip) != c.Match(ip) || again.Match(eth) != c.Match(eth)) {
			t.Fatalf("%q means something else in parentheses", text)
		}
	})
}

// Any bytes and any filters: the program says what its tree plainly means, and the
// index agrees with asking one by one.
func FuzzMatch(f *testing.F) {
	for i, text := range expressions(f) {
		f.Add(text, text+" or udp", []byte(ethV4+pingV4), true)
		f.Add(text, "not ("+text+")", []byte(pingV4)[:len(pingV4)-i%20], false)
	}
	extra := []*Filter{}
	for _, text := range []string{"port 80", "host 192.0.2.1", "vlan 5", "icmp[0] = 8", "tcp portrange 1-1000", "len > 30"} {
		extra = append(extra, compile(f, text))
	}
	f.Fuzz(func(t *testing.T, one, two string, b []byte, ethernet bool) {
		link := packet.IP
		if ethernet {
			link = packet.Ethernet
		}
		p, err := packet.Parse(b, link)
		if err != nil {
			return
		}
		x, err := Compile(one)
		if err != nil {
			return
		}
		y, err := Compile(two)
		if err != nil {
			return
		}
		fs := append([]*Filter{x, y, And(x, y), Or(y, x), Not(x), Not(y)}, extra...)
		ix := NewIndex(fs)
		for from := range len(fs) + 1 {
			if got, want := ix.Next(p, from), linear(fs, p, from); got != want {
				t.Fatalf("%q, %q, from %d: got %d, want %d", one, two, from, got, want)
			}
		}
		for _, f := range fs {
			if got, want := f.Match(p), plain(f.by[link].cond, p, p.Frame()) == holds; got != want {
				t.Fatalf("%s: got %v, plainly %v", f, got, want)
			}
		}
		if x.Match(p) && Not(x).Match(p) {
			t.Fatalf("%q and its opposite match", one)
		}
	})
}
