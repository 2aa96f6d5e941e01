package flow

import (
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// state is what has been seen of a flow.
type state uint8

const (
	sawForward state = 1 << iota
	sawBack
	finForward
	finBack
	reset
	settled // TCP: both sides have spoken, and one has acknowledged it without SYN
	unasked // claimed, and nobody has asked for it: forward is not yet decided
)

const (
	sawBoth = sawForward | sawBack
	finBoth = finForward | finBack
)

// A class is the flows that end after the same time without a packet.
type class uint8

const (
	tcpOpening class = iota
	tcpSettled
	tcpClosing
	datagrams
	datagramsAnswered
	echo
	echoAnswered
	other
	otherAnswered
	classes
)

// timeouts are what the RFCs on NAT ask for, so that a rewritten flow does not
// break, and Linux's where there is none.
var timeouts = [classes]time.Duration{
	tcpOpening:        4 * time.Minute,             // RFC 5382 REQ-5: transitory, at least 4 minutes
	tcpSettled:        2*time.Hour + 4*time.Minute, // REQ-5: two hours, in which a keep-alive comes, and a transitory wait
	tcpClosing:        4 * time.Minute,             // REQ-5; RFC 7857 section 2.2: after a RST, too, which may be forged
	datagrams:         2 * time.Minute,             // RFC 4787 REQ-5: never less
	datagramsAnswered: 5 * time.Minute,             // REQ-5 c): recommended; SCTP's heartbeat comes every 30 s (RFC 9260 section 16)
	echo:              time.Minute,                 // RFC 5508 REQ-2: at least 60 s
	echoAnswered:      time.Minute,
	other:             10 * time.Minute, // nf_conntrack_generic_timeout
	otherAnswered:     10 * time.Minute,
}

// answered reports a flow that both sides take part in. A TCP connection that is
// only half open does not count: anybody can have a server send SYN-ACKs.
func (c class) answered() bool {
	switch c {
	case tcpOpening, datagrams, echo, other:
		return false
	}
	return true
}

func (e *entry) class() class {
	k := &e.key[Forward]
	switch {
	case k.proto == packet.ProtoTCP && k.kind == ports:
		switch {
		case e.state&reset != 0, e.state&finBoth == finBoth:
			return tcpClosing
		case e.state&settled != 0:
			return tcpSettled
		}
		return tcpOpening
	case k.kind == ports:
		return datagrams + e.both()
	case k.kind != plain: // and who looks for whom: a question and its answer
		return echo + e.both()
	}
	return other + e.both()
}

// both is 1 when packets of both directions were seen.
func (e *entry) both() class {
	if e.state&sawBoth == sawBoth {
		return 1
	}
	return 0
}

// advance moves the state on by a packet in direction d.
func (e *entry) advance(p *packet.Packet, d Dir, s subject) {
	e.state |= sawForward << d
	if s == later || e.key[d].proto != packet.ProtoTCP {
		return
	}
	flags := tcpFlags(p)
	if flags.Has(packet.FIN) {
		e.state |= finForward << d
	}
	if flags.Has(packet.RST) {
		e.state |= reset
	}
	if flags&(packet.SYN|packet.RST|packet.ACK) == packet.ACK && e.state&sawBoth == sawBoth {
		e.state |= settled
	}
}

// begins reports a SYN that opens a new connection on the ports of one that is
// over (RFC 9293 section 3.6.1): another flow.
func (e *entry) begins(p *packet.Packet, s subject) bool {
	return class(e.list%uint8(classes)) == tcpClosing && (s == whole || s == first) &&
		tcpFlags(p)&(packet.SYN|packet.ACK|packet.RST) == packet.SYN
}

func tcpFlags(p *packet.Packet) packet.Flags {
	tcp, _ := p.TCP()
	return tcp.Flags()
}
