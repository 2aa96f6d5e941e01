package control

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// flowsArgs are which flows, "" for all, and whether their rules go.
type flowsArgs struct {
	Filter string `json:"filter"`
	Flush  bool   `json:"flush"`
}

// Flow is one flow. Addresses and ports are those of a packet in the direction of the
// first one, as it comes in; the id of an echo stands as both ports.
type Flow struct {
	Worker int     `json:"worker"`
	Proto  string  `json:"proto"`
	Src    string  `json:"src"`
	Dst    string  `json:"dst"`
	OutSrc string  `json:"out_src,omitempty"` // what it leaves with, where it is rewritten
	OutDst string  `json:"out_dst,omitempty"`
	Age    float64 `json:"age"`  // seconds, to a second
	Idle   float64 `json:"idle"` // seconds
	State  string  `json:"state"`
	Rule   string  `json:"rule,omitempty"` // "pass", "drop", "rewrite"
}

// flowPage is a line of the answer.
type flowPage struct {
	Flows []Flow `json:"flows"`
}

// flushedFlows is the last one.
type flushedFlows struct {
	Flushed int `json:"flushed"`
}

// pageLen is how many flows go into a line.
const pageLen = 256

// flows lists flows, and takes back what was decided about them natively.
func (s *Server) flows(ctx context.Context, args flowsArgs, send func(flowPage) error) (end flushedFlows, err error) {
	var only *filter.Filter
	if args.Filter != "" {
		if only, err = filter.Compile(args.Filter); err != nil {
			return end, mistake(err)
		}
	}
	var page flowPage
	var ruled []engine.FlowInfo
	flush := func() error {
		if len(page.Flows) == 0 {
			return nil
		}
		err := send(page)
		page.Flows = page.Flows[:0]
		return err
	}
	for f, err := range s.host.Engine.Flows() {
		switch {
		case err != nil:
			return end, err
		case ctx.Err() != nil:
			return end, nil
		case !wanted(only, f):
			continue
		}
		if f.Rule != "" {
			ruled = append(ruled, f)
		}
		page.Flows = append(page.Flows, flowOf(f))
		if len(page.Flows) == pageLen {
			if err := flush(); err != nil {
				return end, err
			}
		}
	}
	if err := flush(); err != nil || !args.Flush {
		return end, err
	}
	end.Flushed, err = s.host.Engine.Unrule(ruled)
	if end.Flushed > 0 {
		s.log.Info("flow rules flushed", "flows", end.Flushed)
	}
	return end, err
}

func flowOf(f engine.FlowInfo) Flow {
	w := Flow{
		Worker: f.Worker, Proto: protoName(f.Proto), Src: end(f.Src), Dst: end(f.Dst),
		Age: f.Age.Truncate(1e9).Seconds(), Idle: f.Idle.Seconds(), State: f.State, Rule: f.Rule,
	}
	if f.OutSrc != f.Src || f.OutDst != f.Dst {
		w.OutSrc, w.OutDst = end(f.OutSrc), end(f.OutDst)
	}
	return w
}

// end is one side of a flow as text: without a port where there is none.
func end(a netip.AddrPort) string {
	if a.Port() == 0 {
		return a.Addr().String()
	}
	return a.String()
}

var protoNames = map[uint8]string{
	packet.ProtoTCP: "tcp", packet.ProtoUDP: "udp", packet.ProtoSCTP: "sctp",
	packet.ProtoICMP: "icmp", packet.ProtoICMPv6: "icmp6",
}

func protoName(proto uint8) string {
	if name, ok := protoNames[proto]; ok {
		return name
	}
	return fmt.Sprintf("proto %d", proto)
}

// wanted asks a filter about a flow: it is meant if a packet of either direction is, as
// far as addresses, protocol and ports tell.
func wanted(only *filter.Filter, f engine.FlowInfo) bool {
	if only == nil {
		return true
	}
	for _, ends := range [][2]netip.AddrPort{{f.Src, f.Dst}, {f.Dst, f.Src}, {f.OutSrc, f.OutDst}, {f.OutDst, f.OutSrc}} {
		if p, err := sample(f.Proto, ends[0], ends[1]); err == nil && only.Match(p) {
			return true
		}
	}
	return false
}

// sample is a packet without payload.
func sample(proto uint8, src, dst netip.AddrPort) (*packet.Packet, error) {
	var ip packet.Layer = packet.IPv4{Src: src.Addr(), Dst: dst.Addr(), Proto: proto}
	if src.Addr().Is6() {
		ip = packet.IPv6{Src: src.Addr(), Dst: dst.Addr(), Proto: proto}
	}
	switch proto {
	case packet.ProtoTCP:
		return packet.Build(ip, packet.TCP{Sport: src.Port(), Dport: dst.Port()})
	case packet.ProtoUDP:
		return packet.Build(ip, packet.UDP{Sport: src.Port(), Dport: dst.Port()})
	case packet.ProtoICMP:
		return packet.Build(ip, packet.ICMP{Type: packet.EchoRequest, ID: src.Port()})
	case packet.ProtoICMPv6:
		return packet.Build(ip, packet.ICMPv6{Type: packet.EchoRequest6, ID: src.Port()})
	}
	ports := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, src.Port()), dst.Port())
	return packet.Build(ip, packet.Payload(append(ports, make([]byte, 8)...))) // SCTP's common header
}
