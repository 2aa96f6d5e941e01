package filter

import (
	"errors"
	"strings"
	"testing"
)

// Every error names the column, and the word that was probably meant.
func TestSyntaxErrors(t *testing.T) {
	for _, tt := range []struct {
		text    string
		column  int
		suggest string
		says    string // a part of the message
	}{
		{"tcp dst prot 80", 9, "port", "not looked up"},
		{"prot 80", 1, "port", "expected a condition"},
		{"tcp prot 80", 5, "port", `expected "and", "or" or the end`},
		{"upd port 53", 1, "udp", "a condition"},
		{"tcp port 80 adn host 192.0.2.1", 13, "and", "unexpected"},
		{"udp and prt 53", 9, "port", "nothing says what"},
		{"hots 192.0.2.1", 1, "host", "a condition"},
		{"tcp[tcpflag] & tcp-syn != 0", 5, "tcpflags", "a number"},
		{"tcp[tcpflags] & tcp-sync != 0", 17, "tcp-syn", "a number"},
		{"icmp[icmptype] == icmp-ehco", 19, "icmp-echo", "a number"},
		{"port htpp", 6, "http", "known here"},
		{"ip proto udp", 10, `\udp`, "backslash"},
		{`ip proto \upd`, 10, "udp", "known here"},
		{"host example.com", 6, "", "write the address"},
		{"host 192.0.2.256", 6, "", "no IPv4 address"},
		{"host 2001:db8::1::2", 6, "", "no IPv6 address"},
		{"net 10/8", 5, "", "10.0.0.0"},
		{"net 192.0.2.1/24", 5, "", "192.0.2.0"},
		{"net 192.0.2.0/33", 15, "", "0 to 32"},
		{"host 192.0.2.0/24", 6, "net", "only a net"},
		{"net 2001:db8::1/32", 5, "", "2001:db8::/32"},
		{"192.0.2.1", 1, "", "nothing says what"},
		{"tcp port 65536", 10, "", "65535"},
		{"icmp port 80", 11, "", "has no ports"},
		{"tcp host 192.0.2.1", 10, "", "no IPv4 addresses"},
		{"host 02:00:00:00:00:01", 6, "", "ether host"},
		{"ether host 192.0.2.1", 12, "", "no MAC address"},
		{"ether host 1:2:3", 12, "", "no MAC address"},
		{"vlan 4096", 6, "", "4095"},
		{"len-5 > 3", 1, "", "spaces around the minus"},
		{"tcp[0:3] = 1", 7, "", "1, 2 or 4"},
		{"esp[0] = 1", 1, "", "no bytes of its own"},
		{"len / 0 = 1", 5, "", "division by zero"},
		{"len << 32 = 1", 5, "", "at most 31"},
		{"port 08", 6, "", "octal"},
		{"port 4294967296", 6, "", "32 bits"},
		{"(tcp", 5, "", `the one in column 1`},
		{"tcp)", 4, "", "unexpected"},
		{"tcp and", 8, "", "the text ends"},
		{"tcp and and udp", 9, "", "a condition"},
		{"not", 4, "", "the text ends"},
		{"len", 4, "", "a comparison"},
		{"tcp or 80", 8, "", "nothing says what"},
		{"gateway gw", 1, "", "ether host MAC"},
		{"byte 3 = 4", 1, "", "ether[3]"},
		{"wlan addr1 ::1", 6, "", "no meaning on TUN"},
		{"inbound", 1, "", "no meaning on TUN"},
		{"tcp; udp", 4, "", "unexpected ';'"},
		{"tcp und udp", 5, "and", "unexpected"},
		{"tcp “port” 80", 5, "", "plain ASCII"},
		{strings.Repeat("(", 300) + "tcp" + strings.Repeat(")", 300), 202, "", "nested deeper"},
		{strings.Repeat("not ", 300) + "tcp", 805, "", "nested deeper"},
		{strings.Repeat("tcp or ", 3000) + "udp", MaxText + 1, "", "at most"},
		{"1 + (1 + (1 + (1 + (1 + (1 + (1 + (1 + (1 + (1 + (1 + (1 + (1 + (1 + (1 + (1 + (1 + 1)))))))))))))))) = 1", 83, "", "at once"},
	} {
		_, err := Compile(tt.text)
		e, ok := errors.AsType[*SyntaxError](err)
		if !ok {
			t.Errorf("%.60q: got %v, want a *SyntaxError", tt.text, err)
			continue
		}
		if e.Column != tt.column || e.Suggestion != tt.suggest || !strings.Contains(e.Message, tt.says) {
			t.Errorf("%.60q: got column %d, suggestion %q, %q; want %d, %q, %q", tt.text, e.Column, e.Suggestion, e.Message, tt.column, tt.suggest, tt.says)
		}
		if len(err.Error()) > 500 {
			t.Errorf("%.60q: an error of %d bytes", tt.text, len(err.Error()))
		}
	}
}

func TestErrorReads(t *testing.T) {
	_, err := Compile("tcp dst prot 80")
	const want = `filter: column 9 of "tcp dst prot 80": "prot" is no address, and names are not looked up: write the address; did you mean "port"?`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestNearest(t *testing.T) {
	list := words("port proto portrange host net and")
	for _, tt := range []struct{ word, want string }{
		{"prot", "port"}, {"prto", "proto"}, {"prots", "proto"}, {"hst", "host"}, {"ned", "net"}, {"PORT", ""},
		{"prtorange", "portrange"}, {"banana", ""}, {"x", ""}, {"portrang", "portrange"}, {"Hots", "host"},
	} {
		if got := nearest(tt.word, list); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.word, got, tt.want)
		}
	}
}
