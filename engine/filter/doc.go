// Package filter holds conditions on packets: written as pcap-filter(7) text, or
// built from parts, compiled to one form, with an index over many of them.
//
// # How it works
//
// The lexer and the parser read text by libpcap's grammar. What a primitive means is
// made twice, for frames that begin with an IP header and for Ethernet, since one
// filter meets both: a condition is a tree of tests on bytes, which the builders
// ([And], [Or], [Not], [Field] and the like) make as well. Each tree is then laid
// out flat as a program of tests and jumps, and that is what [Filter.Match] runs. An
// [Index] looks into the trees for what a packet must say to match, and asks the
// packet once for many filters; a [Set] does the same for filters that come and go.
//
// The package knows packets, their bytes and where [packet.Layout] finds a header.
// It knows no devices, no handlers, no flows and no time. It starts no goroutine.
// Filters and indexes never change, so any number of goroutines may use them;
// a packet belongs to one goroutine, as always. Matching allocates nothing.
//
// # What text means
//
// Exactly what it means to libpcap 1.10, odd as that may be; a test compares match by
// match with tcpdump -O. Some of what follows from that:
//
//   - tcp[...], udp[...] and icmp[...] look into IPv4 only, and not into fragments
//     other than the first. "port" and "tcp" look into IPv6, too, but only right
//     behind its fixed header ("tcp" also behind a fragment header). The layers that
//     [Field] and [Port] name are found wherever they are.
//   - A byte outside the packet ends the whole filter with no match, "not" or no
//     "not". So does a division by zero. Which bytes are asked follows the order of
//     the text; tcpdump's optimizer, which we do not imitate, may ask fewer.
//   - "vlan" makes everything that follows it in the text look behind a tag, beyond
//     "or" and parentheses, too.
//   - "and" and "or" bind equally, from left to right; "%" and "^" take everything to
//     their right.
//   - "len", "less" and "greater" count the frame; on a TAP device that is 14 more
//     than the IP packet.
//
// Where libpcap needs to know the link type, or the host, we do without:
//
//   - On a packet without Ethernet, what asks about it is false: MAC addresses,
//     "vlan", "broadcast", "multicast". Behind "vlan" nothing is shifted there.
//   - "ip broadcast" is 0.0.0.0 or 255.255.255.255, as on a capture file; no netmask
//     is asked for.
//   - Names of hosts and networks are refused. Names of ports and protocols are those
//     of a table here, not of the machine's files.
//   - Words for links that are neither, or for what is not in a packet's bytes ("wlan
//     addr1", "vpi", "inbound", "ifname" ...), are refused; so are "mpls", "pppoes",
//     "geneve" and "llc", behind which no filter looks, "stp", "ipx" and the like
//     without "ether proto" before them, "gateway", addresses of DECnet and the
//     undocumented "byte". The error says what to write instead.
//
// A checksum that is still to be finished, because the kernel or we have left that
// for later, reads as it will leave; nothing is finished by looking.
package filter
