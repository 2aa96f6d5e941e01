package filter

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every word of pcap-filter(7) that is one here stands in some filter that is
// compared with tcpdump.
func TestManualIsCompared(t *testing.T) {
	seen := map[string]bool{}
	for _, text := range expressions(t) {
		for _, tok := range lex(text) {
			seen[text[tok.at:tok.end]] = true
			seen[tok.text] = true // as the parser knows it
		}
	}
	for word, spelling := range keywords {
		if word == "gateway" || word == "byte" {
			continue // refused
		}
		if !seen[word] && !slices.Contains([]string{"!", "and", "or"}, spelling) {
			t.Errorf("%q stands in no compared filter", word)
		}
	}
	for word := range constants {
		if !seen[word] {
			t.Errorf("the number %q stands in no compared filter", word)
		}
	}
	for name := range etherTypes {
		if !seen[name] && !seen[`\`+name] {
			t.Errorf("ether proto %q stands in no compared filter", name)
		}
	}
	for _, sign := range strings.Fields("+ - * / % & | ^ << >> > < >= <= = == != ! not and or && || ( )") {
		if !seen[sign] {
			t.Errorf("%q stands in no compared filter", sign)
		}
	}
}

// What the manual has and we do not is refused with a word about why, and with what
// to write instead where there is something.
func TestManualIsRefused(t *testing.T) {
	const (
		names = "names are not looked up"
		alien = "has no meaning on TUN and TAP devices"
		not   = "is not supported"
	)
	for _, tt := range []struct {
		texts   string // several, separated by ";"
		says    string
		instead string
	}{
		{"host sundown; src helios; net ucb-ether; ip host ace", names, ""},
		{"ether host ace", names, ""},
		{"gateway snup", "which are not looked up", ""},
		{"inbound; outbound; ifindex 3", alien, ""},
		{"ifname tun0; on tun0; rnr 3; rulenum 3; reason match; rset x; ruleset x; srnr 1; subrulenum 1; action pass", alien, ""},
		{"wlan ra 02:00:00:00:00:01; wlan ta 02:00:00:00:00:01; wlan addr1 02:00:00:00:00:01; wlan addr4 02:00:00:00:00:01", alien, ""},
		{"type mgt subtype beacon; subtype ack", alien, "icmp[icmptype] == 8"},
		{"dir tods; direction fromds; radio[0] = 1", alien, ""},
		{"clnp; esis; isis; l1; l2; iih; lsp; snp; csnp; psnp", alien, ""},
		{"vpi 1; vci 1; lane; oamf4sc; oamf4ec; oamf4; oam; metac; bcc; sc; ilmic; connectmsg; metaconnect", alien, ""},
		{"fisu; lssu; msu; sio 1; opc 1; dpc 1; sls 1", alien, ""},
		{"mpls; mpls 1024", not, "ether proto 0x8847"},
		{"pppoed", not, "ether proto 0x8863"},
		{"pppoes 0x27 && ip", not, "ether proto 0x8864"},
		{"geneve 0xb and ip", not, "udp port 6081"},
		{"llc; llc rr", not, "ether[12:2] <= 1500"},
		{"stp", not, `ether proto \stp`},
		{"ipx", not, `ether proto \ipx`},
		{"iso", not, `ether proto \iso`},
		{"netbeui", not, `ether proto \netbeui`},
		{"atalk", not, `ether proto \atalk`},
		{"aarp", not, `ether proto \aarp`},
		{"decnet src 10.123; decnet host 1.1", "not supported: write decnet alone", ""},
		{"byte 3 = 4", "is not supported", ""},
	} {
		for text := range strings.SplitSeq(tt.texts, "; ") {
			_, err := Compile(text)
			e, ok := errors.AsType[*SyntaxError](err)
			if !ok || !strings.Contains(e.Message, tt.says) || e.Suggestion != tt.instead {
				t.Errorf("%s: got %v, want %q and instead %q", text, err, tt.says, tt.instead)
			}
		}
	}
}

// A port by name is that of the machine's /etc/services, as far as that has it.
func TestServicesAsTCPDump(t *testing.T) {
	needTCPDump(t)
	compared := 0
	for name := range services {
		theirs, err := tcpdump(t.Context(), nil, "-O", "-y", "EN10MB", "-d", "--", "port "+name)
		if err != nil {
			continue // not in the file
		}
		s := services[name]
		want := "port "
		switch {
		case !s.udp:
			want = "tcp port "
		case !s.tcp:
			want = "udp port "
		}
		if ours, err := tcpdump(t.Context(), nil, "-O", "-y", "EN10MB", "-d", "--", want+strconv.Itoa(int(s.port))); err != nil || string(ours) != string(theirs) {
			t.Errorf("%s is not %s%d (%v)", name, want, s.port, err)
		}
		compared++
	}
	t.Logf("compared %d of %d names", compared, len(services))
}
