package filter

import (
	"errors"
	"testing"
)

// What people type in a hurry, or out of another tool's habit, and what they are told.
func TestTypos(t *testing.T) {
	for _, tt := range []struct {
		text    string
		column  int
		suggest string
		says    string
	}{
		{"tcp dst prot 80", 9, "port", `"prot" is no address, and names are not looked up: write the address`},
		{"tcp prot 80", 5, "port", `unexpected "prot", expected "and", "or" or the end`},
		{"icmp[icmptyp] == icmp-echo", 6, "icmptype", `unexpected "icmptyp", expected a number, "len" or a protocol and its bytes, as in tcp[13]`},
		{"tcp[tcpflag] & tcp-syn != 0", 5, "tcpflags", `unexpected "tcpflag", expected a number, "len" or a protocol and its bytes, as in tcp[13]`},
		{"hots 192.0.2.1", 1, "host", `unexpected "hots", expected a condition`},
		{"net 192.0.2.0/33", 15, "", `unexpected "33", expected a prefix length of 0 to 32`},
		{"portrange 1-", 12, "", `unexpected "-", expected "and", "or" or the end: a range has both ends and no spaces, as in 1-1024`},
		{"portrange -5", 11, "", `unexpected "-", expected a port: a range has both ends and no spaces, as in 1-1024`},
		{"portrange 80 - 90", 14, "", `unexpected "-", expected "and", "or" or the end: a range has both ends and no spaces, as in 1-1024`},
		{"port 80-90", 6, "portrange", `"80-90" is more than one port`},
		{"(tcp", 5, "", `the text ends where ")" for the one in column 1 should follow`},
		{"tcp)", 4, "", `unexpected ")", expected "and", "or" or the end`},
		{"((tcp) and udp", 15, "", `the text ends where ")" for the one in column 1 should follow`},
		{"tcp port", 9, "", "the text ends where a port should follow"},
		{"tcp port 80 and", 16, "", "the text ends where a condition should follow"},
		{"tcp port eighty", 10, "", `"eighty" is no port that is known here: write its number`},
		{"port 80, 443", 8, "", `unexpected ',': join with "and" or "or"`},
		{"port 80 443", 9, "", `unexpected "443", expected "and", "or" or the end`},
		{"host 192.0.2.1/24", 6, "", "192.0.2.1/24 has bits set outside its mask: the network is 192.0.2.0"},
		{"192.0.2.0/24", 1, "", `nothing says what "192.0.2.0" is: write host, net or ether host before it`},
		{"net 192.0.2.0/255.255.255.0", 15, "", `unexpected "255.255.255.0", expected a prefix length: write mask in place of the slash`},
		{"host localhost", 6, "", `"localhost" is no address, and names are not looked up: write the address`},
		{"src 192.0.2.1:80", 14, "and port", `unexpected ":", expected "and", "or" or the end: an address and a port are two conditions`},
		{"host [2001:db8::1]", 6, "", `unexpected "[", expected an address without brackets`},
		{"tcp.port == 80", 1, "tcp port", `unexpected "tcp.port", expected a condition`},
		{"ip.src == 192.0.2.1", 1, "ip src", `unexpected "ip.src", expected a condition`},
		{"tcp[tcpflags] == syn", 18, "tcp-syn", `unexpected "syn", expected a number, "len" or a protocol and its bytes, as in tcp[13]`},
		{"tcp syn", 5, "tcp[tcpflags] & tcp-syn != 0", `unexpected "syn", expected "and", "or" or the end`},
		{"icmp echo", 6, "icmp[icmptype] == icmp-echo", `unexpected "echo", expected "and", "or" or the end`},
		{"icmp-echo", 10, "", "the text ends where a comparison, as in icmp[icmptype] == icmp-echo, should follow"},
		{"icmp type 8", 6, "icmp[icmptype] == 8", `"type" has no meaning on TUN and TAP devices`},
		{"icmp[type] == 8", 6, "icmptype", `unexpected "type", expected a number, "len" or a protocol and its bytes, as in tcp[13]`},
		{"udp[0:3] = 1", 7, "", "a size of 3 bytes: 1, 2 or 4"},
		{"udp[0:2 = 53", 9, "", `unexpected "=", expected "]"`},
		{"ip[9] = tcp", 9, "", `"tcp" is no number: write 6 for the protocol, or its bytes, as in tcp[0]`},
		{"ip proto tcp", 10, `\tcp`, `"tcp" is a word of the language: write a backslash before it`},
		{"ether host 02:00:00:00:00", 12, "", `"02:00:00:00:" is no MAC address: write six bytes, 02:00:00:00:00:01`},
		{"ether src 192.0.2.1", 11, "", `"192.0.2.1" is no MAC address: write 02:00:00:00:00:01, or leave out ether`},
		{"vlan 5000", 6, "", "VLAN 5000 is above 4095"},
		{"vlan id 5", 6, "", `unexpected "id": write vlan 5`},
		{"tcp & udp", 5, "&&", `unexpected "&", expected "and", "or" or the end`},
		{"tcp = 80", 5, "", `unexpected "=", expected "and", "or" or the end: only numbers are compared, as in tcp[2:2] == 80`},
		{"port == 80", 6, "", `unexpected "==", expected a port: only numbers are compared, as in tcp[2:2] == 80`},
		{"dport 80", 1, "dst port", `unexpected "dport", expected a condition`},
		{"src ip 192.0.2.1", 5, "ip src", `unexpected "ip", expected an address`},
		{"dst address 192.0.2.1", 5, "", `unexpected "address": leave it out`},
		{"ipv4", 1, "ip", `unexpected "ipv4", expected a condition`},
		{"ping", 1, "icmp[icmptype] == icmp-echo", `unexpected "ping", expected a condition`},
		{"http", 1, "port http", `unexpected "http", expected a condition`},
		{"TCP", 1, "tcp", `unexpected "TCP", expected a condition`},
		{"tcp AND udp", 5, "and", `unexpected "AND", expected "and", "or" or the end`},
		{"len > 10k", 7, "", `unexpected "10k", expected a number, "len" or a protocol and its bytes, as in tcp[13]`},
		{"less than 100", 6, "", `unexpected "than": write less 100`},
		{"ip host 2001:db8::1", 9, "", `ip has no IPv6 addresses: leave it out, or write "ip6 host" before the address`},
		{"ip6 host 192.0.2.1", 10, "ip", "ip6 has no IPv4 addresses: leave it out"},
		{"tcp host 192.0.2.1", 10, "", `tcp has no IPv4 addresses: write "tcp and host" before the address, or only src, dst, host or net`},
		{"icmp port 80", 11, "", "icmp has no ports: only tcp, udp and sctp have"},
		{"gateway 192.0.2.1", 1, "", `"gateway" needs names, which are not looked up: write "ether host MAC and not host ADDRESS"`},
		{"inbound", 1, "", `"inbound" has no meaning on TUN and TAP devices: it is not in a packet's bytes`},
		{"mpls", 1, "ether proto 0x8847", `"mpls" is not supported: no filter looks behind MPLS labels`},
		{"stp", 1, `ether proto \stp`, `"stp" is not supported alone`},
		{"port 99999", 6, "", "port 99999 is above 65535"},
		{"port -1", 6, "", `unexpected "-", expected a port`},
		{"host 2001:db8::g", 6, "", `"2001:db8::g" is no IPv6 address`},
		{`"tcp port 80"`, 1, "", `unexpected '"': a filter has no quotes in it`},
		{"decnet src 10.123", 12, "", "addresses of DECnet are not supported: write decnet alone"},
		{"tcp[]", 5, "", `unexpected "]", expected a number, "len" or a protocol and its bytes, as in tcp[13]`},
		{"tcp[0] => 5", 9, ">=", `unexpected ">", expected a number, "len" or a protocol and its bytes, as in tcp[13]`},
		{"mutlicast", 1, "multicast", `unexpected "mutlicast", expected a condition`},
		{"any", 1, "", `unexpected "any": every packet is meant where there is no filter`},
		{"icmp[icmptype] == icmp-unreachable", 19, "icmp-unreach", `unexpected "icmp-unreachable", expected a number, "len" or a protocol and its bytes, as in tcp[13]`},
		{"icmp6[icmp6type] = icmp6-neighbor", 20, "icmp6-neighboradvert", `unexpected "icmp6-neighbor", expected a number, "len" or a protocol and its bytes, as in tcp[13]`},
		{"tcp[tcpflags] & tcp-psh != 0", 17, "tcp-push", `unexpected "tcp-psh", expected a number, "len" or a protocol and its bytes, as in tcp[13]`},
		{"src or port 80", 8, "", `unexpected "port", expected "dst"`},
		{"port htpps", 6, "https", `"htpps" is no port that is known here: write its number`},
		{"udp port http", 10, "tcp", "http is a port of tcp, not of udp"},
		{"wlan addr1 02:00:00:00:00:01", 6, "", `"addr1" has no meaning on TUN and TAP devices`},
	} {
		_, err := Compile(tt.text)
		e, ok := errors.AsType[*SyntaxError](err)
		if !ok {
			t.Errorf("%s: got %v, want a *SyntaxError", tt.text, err)
			continue
		}
		if e.Column != tt.column || e.Suggestion != tt.suggest || e.Message != tt.says {
			t.Errorf("%s:\n\tgot  column %d, %q, %s\n\twant column %d, %q, %s", tt.text, e.Column, e.Suggestion, e.Message, tt.column, tt.suggest, tt.says)
		}
	}
}

// A suggestion that stands in place of what was wrong makes a filter of it.
func TestSuggestionsCompile(t *testing.T) {
	for _, text := range []string{
		"tcp prot 80", "icmp[icmptyp] == icmp-echo", "hots 192.0.2.1", "dport 80", "tcp dport 80", "ipv4", "ping", "dns", "http",
		"TCP", "tcp AND udp", "tcp & udp", "tcp | udp", "src ip 192.0.2.1", "tcp[tcpflags] == syn", "icmp[type] == 8", "ip proto tcp", "stp", "mpls",
		"geneve", "llc", "pppoed", "pppoes", "port htpps", "mutlicast", "saddr 192.0.2.1", "tcp.port 80", "ip.src 192.0.2.1",
		"icmp[icmptype] == icmp-unreachable", "icmp6[icmp6type] = icmp6-neighbor", "tcp[tcpflags] & tcp-psh != 0",
	} {
		_, err := Compile(text)
		e, ok := errors.AsType[*SyntaxError](err)
		if !ok || e.Suggestion == "" {
			t.Errorf("%s: got %v, want a suggestion", text, err)
			continue
		}
		from := lex(text[e.Column-1:])[0]
		mended := text[:e.Column-1] + e.Suggestion + text[e.Column-1+from.end:]
		if text == "src ip 192.0.2.1" { // the other way round
			mended = e.Suggestion + " 192.0.2.1"
		}
		if _, err := Compile(mended); err != nil {
			t.Errorf("%s: as suggested, %q: %v", text, mended, err)
		}
	}
}
