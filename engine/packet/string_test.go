package packet_test

import (
	"bytes"
	"encoding/binary"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestString(t *testing.T) {
	tcp := packet.TCP{Sport: 4000, Dport: 80, Seq: 1<<32 - 2, Ack: 9, Flags: packet.PSH | packet.ACK, Window: 100}
	syn := packet.TCP{Sport: 4000, Dport: 80, Seq: 7, Flags: packet.SYN, Options: linuxSYN}
	id := packet.IPv4{Src: host4, Dst: peer4, ID: 9}
	frag := func(off int, mf bool) packet.IPv4 { f := id; f.Frag, f.MF, f.Proto = off, mf, 17; return f }
	for _, tt := range []struct {
		want   string
		layers []packet.Layer
	}{
		{"IP 192.0.2.1.4000 > 192.0.2.2.80: Flags [S], seq 7, win 65535, options [mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 7], length 0", []packet.Layer{id, syn}},
		{"IP 192.0.2.1.4000 > 192.0.2.2.80: Flags [PA], seq 4294967294:3, ack 9, win 100, length 5", []packet.Layer{id, tcp, packet.Payload("hello")}},
		{"IP6 2001:db8::1.1 > 2001:db8::2.2: UDP, length 5", ip6(packet.UDP{Sport: 1, Dport: 2}, packet.Payload("hello"))},
		{"IP 192.0.2.1 > 192.0.2.2: ICMP echo request, id 1, seq 2, length 8", []packet.Layer{id, packet.ICMP{Type: 8, ID: 1, Seq: 2}}},
		{"IP 192.0.2.1 > 192.0.2.2: ICMP redirect to 192.0.2.9, length 8", []packet.Layer{id, packet.ICMP{Type: packet.Redirect, Gateway: host4.Next().Next().Next().Next().Next().Next().Next().Next()}}},
		{"IP 192.0.2.1 > 192.0.2.2: ICMP type 13, code 0, length 8", []packet.Layer{id, packet.ICMP{Type: 13}}},
		{"IP6 2001:db8::1 > 2001:db8::2: ICMP6 neighbor solicitation, who has 2001:db8::2 at 02:00:00:00:00:01, length 32", ip6(packet.ICMPv6{Type: packet.NeighborSolicit, Target: peer6, LLAddr: hostMAC})},
		{"IP 192.0.2.1.1 > 192.0.2.2.2: frag id 9, offset 0+, UDP, length 1", []packet.Layer{frag(0, true), packet.UDP{Sport: 1, Dport: 2}, packet.Payload("x")}},
		{"IP 192.0.2.1 > 192.0.2.2: frag id 9, offset 1480, udp, length 1", []packet.Layer{frag(1480, false), packet.Payload("x")}},
		{"IP 192.0.2.1 > 192.0.2.2: udp, cut short to 1 bytes", []packet.Layer{frag(0, false), packet.Payload("x")}},
		{"IP 192.0.2.1 > 192.0.2.2: proto 253, length 1", []packet.Layer{id, packet.Payload("x")}},
		{"vlan 5, p 3: ARP, Request who-has 192.0.2.2 tell 192.0.2.1, length 28", []packet.Layer{packet.Eth{}, packet.VLAN{ID: 5, Prio: 3}, packet.ARP{SPA: host4, TPA: peer4}}},
		{"ARP, Reply 192.0.2.1 is-at 02:00:00:00:00:01, length 28", []packet.Layer{packet.Eth{}, packet.ARP{Op: 2, SHA: hostMAC, SPA: host4, TPA: peer4}}},
		{"02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype 0x88cc, length 4", []packet.Layer{packet.Eth{Src: hostMAC, Dst: packet.Broadcast, Type: 0x88cc}, packet.Payload("lldp")}},
	} {
		if got := build(t, tt.layers...).String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	for raw, want := range map[string]string{"\x45": "IP, cut short to 1 bytes", "\x60xyz": "IP6, cut short to 4 bytes", "\x41" + strings.Repeat("x", 29): "IP, bad version or header length, length 30"} {
		if got := parse(t, []byte(raw), packet.IP).String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// tcpdump prints the packets; the test is skipped where it cannot.
func tcpdump(t *testing.T, flags string, packets ...*packet.Packet) string {
	t.Helper()
	path, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("tcpdump is not installed: apt-get install tcpdump")
	}
	var file bytes.Buffer
	binary.Write(&file, binary.LittleEndian, []uint32{0xa1b2c3d4, 2 | 4<<16, 0, 0, 65535, 101}) // LINKTYPE_RAW
	for _, p := range packets {
		binary.Write(&file, binary.LittleEndian, []uint32{0, 0, uint32(p.Len()), uint32(p.Len())})
		file.Write(p.Bytes())
	}
	cmd := exec.CommandContext(t.Context(), path, "-nn", "-t", "-S", flags, "-r", "-")
	cmd.Stdin = &file
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("tcpdump does not read a capture here: %v", err)
	}
	return string(out)
}

// tcpdump says the same but for its dot for ACK.
func TestStringIsTcpdumps(t *testing.T) {
	id := packet.IPv4{Src: host4, Dst: peer4, ID: 9}
	sack := []byte{1, 1, 5, 10, 0, 0, 0, 5, 0, 0, 0, 9}
	tcp := packet.TCP{Sport: 4000, Dport: 4001, Seq: 7, Ack: 9}
	with := func(f packet.Flags, opts []byte) packet.TCP { v := tcp; v.Flags, v.Options = f, opts; return v }
	var packets []*packet.Packet
	var want []string
	for _, l := range [][]packet.Layer{
		{id, with(packet.SYN, linuxSYN)},
		{id, with(packet.PSH|packet.ACK, nil), packet.Payload("hello")},
		{id, with(packet.ACK, sack)},
		{id, with(packet.FIN|packet.ACK, nil)},
		{id, with(packet.RST, nil)},
		{id, with(packet.URG|packet.ACK, nil)},
		{id, packet.UDP{Sport: 4000, Dport: 4001}, packet.Payload("hello")},
		{packet.IPv6{Src: host6, Dst: peer6}, packet.UDP{Sport: 4000, Dport: 4001}, packet.Payload("hello")},
		{id, packet.ICMP{Type: 8, ID: 1, Seq: 2}, packet.Payload("hello")},
		{id, packet.ICMP{Type: 0, ID: 1, Seq: 2}},
	} {
		p := build(t, l...)
		packets, want = append(packets, p), append(want, p.String())
	}
	dot := regexp.MustCompile(`Flags \[([A-Z]*)\.([A-Z]*)\]`)
	got := strings.Split(strings.TrimSpace(tcpdump(t, "-u", packets...)), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d: %q", len(got), len(want), got)
	}
	for i, line := range got {
		if line = dot.ReplaceAllString(line, "Flags [${1}A${2}]"); line != want[i] {
			t.Errorf("tcpdump: %s\nwe:      %s", line, want[i])
		}
	}
}

func TestHexIsTcpdumps(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4, ID: 7}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload("hello, world"))
	for flag, got := range map[string]string{"-x": p.Hex(false), "-X": p.Hex(true)} {
		_, want, _ := strings.Cut(tcpdump(t, flag, p), "\n")
		if trim(got) != trim(want) {
			t.Errorf("%s: got\n%swant\n%s", flag, got, want)
		}
	}
}

func trim(s string) string { return strings.ReplaceAll(s, " \n", "\n") }
