package filter

import "strings"

// What people write out of habit, from other tools' languages or as they would say
// it, and what it is called here. A word may mean one thing as a condition and
// another as a number.
var (
	saidForCondition = map[string]string{
		"dport": "dst port", "dst-port": "dst port", "dst_port": "dst port", "dstport": "dst port", "tcp.dstport": "tcp dst port", "udp.dstport": "udp dst port",
		"sport": "src port", "src-port": "src port", "src_port": "src port", "srcport": "src port", "tcp.srcport": "tcp src port", "udp.srcport": "udp src port",
		"tcp.port": "tcp port", "udp.port": "udp port", "ports": "port",
		"ip.src": "ip src", "ip.dst": "ip dst", "ip.addr": "ip host", "ipv6.src": "ip6 src", "ipv6.dst": "ip6 dst", "ipv6.addr": "ip6 host",
		"eth.src": "ether src", "eth.dst": "ether dst", "eth.addr": "ether host", "eth": "ether", "mac": "ether host", "ethernet": "ether",
		"ipv4": "ip", "ip4": "ip", "inet": "ip", "ipv6": "ip6", "inet6": "ip6", "icmpv6": "icmp6", "icmp4": "icmp", "tcp6": "ip6 and tcp", "udp6": "ip6 and udp",
		"addr": "host", "address": "host", "saddr": "src host", "daddr": "dst host", "source": "src", "destination": "dst", "dest": "dst",
		"ping": "icmp[icmptype] == icmp-echo", "echo": "icmp[icmptype] == icmp-echo", "type": "icmp[icmptype] == 8",
		"syn": "tcp[tcpflags] & tcp-syn != 0", "rst": "tcp[tcpflags] & tcp-rst != 0", "fin": "tcp[tcpflags] & tcp-fin != 0",
		"ack": "tcp[tcpflags] & tcp-ack != 0", "flags": "tcp[tcpflags] & tcp-syn != 0", "dns": "port 53",
	}
	saidForNumber = map[string]string{
		"syn": "tcp-syn", "ack": "tcp-ack", "fin": "tcp-fin", "rst": "tcp-rst", "psh": "tcp-push", "push": "tcp-push",
		"urg": "tcp-urg", "ece": "tcp-ece", "cwr": "tcp-cwr", "tcp-psh": "tcp-push", "flags": "tcpflags", "type": "icmptype", "code": "icmpcode",
		"echo": "icmp-echo", "echoreply": "icmp-echoreply", "icmp-reply": "icmp-echoreply", "unreach": "icmp-unreach", "length": "len", "size": "len",
	}
	saidForRelation = map[string]string{"===": "==", "=>": ">=", "=<": "<=", "<>": "!=", "!==": "!="}
)

// meant is the word or words that probably should stand where text does, or "".
// number says that a number is wanted there, not a condition.
func meant(text string, number bool) string {
	said, lists := saidForCondition, [][]string{suggested}
	if number {
		said, lists = saidForNumber, [][]string{sorted(constants), suggested}
	}
	low := strings.ToLower(text)
	if s, ok := said[low]; ok {
		return s
	}
	if keywords[low] != "" && low != text {
		return low
	}
	if _, ok := services[low]; ok && !number {
		return "port " + low
	}
	if s := nearest(text, lists...); s != "" {
		return s
	}
	if number {
		return beginning(low, lists[0])
	}
	return nearest(text, sorted(constants))
}

// beginning is the longest word of list that text begins with, or else the first
// that begins with text: icmp-unreachable is icmp-unreach, icmp6-neighbor is
// icmp6-neighboradvert.
func beginning(text string, list []string) string {
	best := ""
	for _, w := range list {
		switch {
		case strings.HasPrefix(text, w) && len(w) > len(best):
			best = w
		case best == "" && len(text) > 4 && strings.HasPrefix(w, text):
			best = w
		}
	}
	return best
}

// refused says why a word that libpcap reserves is none here, and what serves
// instead.
func refused(word string) (suggestion, why string) {
	switch word {
	case "stp", "ipx", "netbeui", "iso", "atalk", "aarp":
		return `ether proto \` + word, "is not supported alone"
	case "mpls":
		return "ether proto 0x8847", "is not supported: no filter looks behind MPLS labels"
	case "pppoed":
		return "ether proto 0x8863", "is not supported"
	case "pppoes":
		return "ether proto 0x8864", "is not supported: no filter looks into PPPoE"
	case "geneve":
		return "udp port 6081", "is not supported: no filter looks into a tunnel"
	case "llc":
		return "ether[12:2] <= 1500", "is not supported"
	case "type", "subtype": // of 802.11, but hardly meant
		return "icmp[icmptype] == 8", "has no meaning on TUN and TAP devices"
	case "inbound", "outbound", "ifindex":
		return "", "has no meaning on TUN and TAP devices: it is not in a packet's bytes"
	}
	return "", "has no meaning on TUN and TAP devices"
}
