package dissect

import (
	"fmt"
	"strings"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// summary is one header in a few words; of those without words of their own here it
// is the name.
func summary(l gopacket.Layer) string {
	switch l := l.(type) {
	case *layers.DNS:
		return dns(l)
	case *layers.DHCPv4:
		return fmt.Sprintf("DHCP %v %v", dhcpType(l), l.ClientHWAddr)
	case *layers.DHCPv6:
		return fmt.Sprintf("DHCPv6 %v", l.MsgType)
	case *layers.SCTP:
		return fmt.Sprintf("SCTP %d > %d", uint16(l.SrcPort), uint16(l.DstPort))
	case *layers.SCTPData:
		return fmt.Sprintf("DATA tsn %d", l.TSN)
	case *layers.SCTPInit:
		if l.Type == layers.SCTPChunkTypeInitAck {
			return fmt.Sprintf("INIT ACK tsn %d", l.InitialTSN)
		}
		return fmt.Sprintf("INIT tsn %d", l.InitialTSN)
	case *layers.SCTPSack:
		return fmt.Sprintf("SACK tsn %d", l.CumulativeTSNAck)
	case *layers.IGMPv1or2:
		return fmt.Sprintf("%v %v", l.Type, l.GroupAddress)
	case *layers.IGMP:
		return igmp3(l)
	case *layers.GRE:
		return fmt.Sprintf("GRE %v", l.Protocol)
	case *layers.VXLAN:
		return fmt.Sprintf("VXLAN %d", l.VNI)
	case *layers.NTP:
		return fmt.Sprintf("NTPv%d mode %d stratum %d", l.Version, l.Mode, l.Stratum)
	case *layers.IPv4:
		return fmt.Sprintf("IP %v > %v", l.SrcIP, l.DstIP)
	case *layers.IPv6:
		return fmt.Sprintf("IP6 %v > %v", l.SrcIP, l.DstIP)
	case *layers.TCP:
		return fmt.Sprintf("TCP %d > %d", uint16(l.SrcPort), uint16(l.DstPort))
	case *layers.UDP:
		return fmt.Sprintf("UDP %d > %d", uint16(l.SrcPort), uint16(l.DstPort))
	case *layers.LinkLayerDiscovery:
		return fmt.Sprintf("LLDP ttl %d", l.TTL)
	}
	return l.LayerType().String()
}

func dns(l *layers.DNS) string {
	what, list := "query", []string{}
	for _, q := range l.Questions {
		list = append(list, fmt.Sprintf("%v %s", q.Type, q.Name))
	}
	if l.QR {
		what = "answer"
		if l.ResponseCode != 0 {
			list = append(list, fmt.Sprint(l.ResponseCode))
		}
		for _, a := range l.Answers {
			list = append(list, fmt.Sprint(&a))
		}
	}
	return strings.TrimSpace(fmt.Sprintf("DNS %s %d %s", what, l.ID, strings.Join(list, "; ")))
}

func dhcpType(l *layers.DHCPv4) layers.DHCPMsgType {
	for _, o := range l.Options {
		if o.Type == layers.DHCPOptMessageType && len(o.Data) == 1 {
			return layers.DHCPMsgType(o.Data[0])
		}
	}
	return layers.DHCPMsgTypeUnspecified
}

func igmp3(l *layers.IGMP) string {
	var groups []string
	for _, g := range l.GroupRecords {
		groups = append(groups, fmt.Sprintf("%v %v", g.Type, g.MulticastAddress))
	}
	return strings.TrimSpace(fmt.Sprintf("%v %s", l.Type, strings.Join(groups, "; ")))
}
