package filter

// kind is what a token is.
type kind uint8

const (
	tEnd  kind = iota
	tKey       // a keyword or punctuation; text is its one spelling
	tNum       // a number, or a name that stands for one; num is its value
	tID        // any other word
	tHID       // an IPv4 address, or the first two or three bytes of one
	tHID6      // an IPv6 address
	tEID       // a MAC address
	tBad       // what cannot be read; text is the message
)

type token struct {
	kind kind
	text string // what the parser compares
	num  uint32
	at   int // where it begins
	end  int
}

// keywords maps every reserved word to the one spelling that the parser knows.
var keywords = map[string]string{
	"and": "and", "or": "or", "not": "!", "src": "src", "dst": "dst",
	"host": "host", "net": "net", "mask": "mask", "port": "port", "portrange": "portrange",
	"proto": "proto", "protochain": "protochain", "gateway": "gateway",
	"less": "less", "greater": "greater", "len": "len", "length": "len", "byte": "byte",
	"broadcast": "broadcast", "multicast": "multicast", "vlan": "vlan",

	"ether": "ether", "link": "ether", "ppp": "ether", "slip": "ether",
	"fddi": "ether", "tr": "ether", "wlan": "ether",
	"arp": "arp", "rarp": "rarp", "ip": "ip", "ip6": "ip6", "sctp": "sctp", "tcp": "tcp",
	"udp": "udp", "icmp": "icmp", "icmp6": "icmp6", "igmp": "igmp", "igrp": "igrp",
	"pim": "pim", "vrrp": "vrrp", "carp": "carp", "ah": "ah", "esp": "esp",
	"decnet": "decnet", "lat": "lat", "sca": "sca", "moprc": "moprc", "mopdl": "mopdl",
}

// foreign are the words that libpcap reserves for links and protocols that no TUN
// or TAP device carries, or that ask for more than a packet's bytes.
var foreign = words(`atalk aarp iso esis es-is isis is-is l1 l2 iih lsp snp csnp psnp
	clnp stp ipx netbeui radio type subtype direction dir address1 addr1 address2 addr2
	address3 addr3 address4 addr4 ra ta inbound outbound ifindex mpls pppoed pppoes
	geneve lane llc metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic vpi vci connectmsg
	metaconnect on ifname rset ruleset rnr rulenum srnr subrulenum reason action fisu
	lssu lsu msu hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls`)

// suggested are the words worth proposing for a misspelt one, the commonest first.
var suggested = words(`port host net tcp udp icmp icmp6 ip ip6 arp src dst and or not
	proto portrange ether vlan mask less greater len broadcast multicast protochain
	sctp rarp igmp esp ah`)
