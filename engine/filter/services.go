package filter

import (
	"strconv"
	"strings"
)

// A service is a port by name. tcp and udp say which of them the name is
// registered for: libpcap tests only that one, and any transport if it is both.
type service struct {
	port     uint32
	tcp, udp bool
}

// services are the common names of /etc/services. The file of the machine is not
// asked, so that a filter means the same everywhere.
var services = readServices(`
	tcpmux 1 t; echo 7 tu; discard 9 tu; daytime 13 tu; chargen 19 tu; ftp-data 20 t;
	ftp 21 t; ssh 22 t; telnet 23 t; smtp 25 t; time 37 tu; whois 43 t; tacacs 49 tu;
	domain 53 tu; bootps 67 u; bootpc 68 u; tftp 69 u; gopher 70 t; finger 79 t; http 80 t;
	kerberos 88 tu; pop3 110 t; sunrpc 111 tu; auth 113 t; nntp 119 t; ntp 123 u;
	netbios-ns 137 u; netbios-dgm 138 u; netbios-ssn 139 t; imap2 143 t; snmp 161 tu;
	snmp-trap 162 tu; bgp 179 t; ptp-event 319 u; ptp-general 320 u; ldap 389 tu;
	https 443 tu; microsoft-ds 445 t; submissions 465 t; isakmp 500 u; exec 512 t;
	login 513 t; who 513 u; shell 514 t; syslog 514 tu; printer 515 t; talk 517 u;
	route 520 u; dhcpv6-client 546 u; dhcpv6-server 547 u; rtsp 554 tu; submission 587 t;
	ipp 631 t; ldaps 636 tu; domain-s 853 tu; rsync 873 t; ftps-data 989 t; ftps 990 t;
	telnets 992 t; imaps 993 t; pop3s 995 t; socks 1080 t; openvpn 1194 tu; ms-sql-s 1433 t;
	l2f 1701 u; radius 1812 tu; radius-acct 1813 tu; nfs 2049 tu; mysql 3306 t;
	ms-wbt-server 3389 t; svn 3690 t; sip 5060 tu; sip-tls 5061 tu; xmpp-client 5222 t;
	mdns 5353 u; postgresql 5432 t; x11 6000 t; redis 6379 t; syslog-tls 6514 t;
	ircd 6667 t; http-alt 8080 t; git 9418 t; zabbix-agent 10050 t`)

func readServices(table string) map[string]service {
	m := map[string]service{}
	for row := range strings.SplitSeq(table, ";") {
		f := strings.Fields(row)
		port, err := strconv.Atoi(f[1])
		if err != nil {
			continue
		}
		m[f[0]] = service{uint32(port), strings.Contains(f[2], "t"), strings.Contains(f[2], "u")}
	}
	return m
}
