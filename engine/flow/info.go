package flow

import (
	"net/netip"
	"time"
)

// Info is a flow as somebody sees it who looks on from outside.
type Info struct {
	Flow     Flow // forward
	Proto    uint8
	Src, Dst netip.AddrPort // of a packet that comes in forward; a port is 0 where there is none, and the id of an echo
	// OutSrc and OutDst are those that it leaves with: others than Src and Dst if the
	// flow is rewritten.
	OutSrc, OutDst netip.AddrPort
	Age, Idle      time.Duration // the age to a second, upwards
	State          string        // "opening", "established", "closing" of TCP; else "unanswered", "answered"
	Rule           string        // of all programs together: "drop", "rewrite", "pass", or ""
}

var stateNames = [classes]string{
	tcpOpening: "opening", tcpSettled: "established", tcpClosing: "closing",
	datagrams: "unanswered", datagramsAnswered: "answered",
	echo: "unanswered", echoAnswered: "answered",
	other: "unanswered", otherAnswered: "answered",
}

// List calls fn with flows from the place from on, 0 for the first, looking at no more
// than n places; and returns where to go on, 0 at the end. Between two calls the table may
// have been used: who was there all the time is seen once. Those idle too long are not
// shown.
func (t *Table) List(now time.Time, from uint32, n int, fn func(Info)) (next uint32) {
	if fn == nil {
		return 0
	}
	t.clock(now)
	from = max(from, 1)
	for i := from; i < t.entries.used; i++ {
		if n--; n < 0 {
			return i
		}
		if e := t.entry(i); e.gen&1 == 1 && e.key[0].kind != pair && !t.expired(e) {
			fn(t.info(i, e))
		}
	}
	return 0
}

func (t *Table) info(i uint32, e *entry) Info {
	in, out := &e.key[Forward], e.key[Back].reverse()
	f := Info{
		Flow: t.handle(i, Forward), Proto: in.proto,
		Age: t.now - time.Duration(e.born)*time.Second, Idle: t.now - e.seen,
		State: stateNames[e.class()],
	}
	f.Src, f.Dst = in.ends()
	f.OutSrc, f.OutDst = out.ends()
	switch {
	case e.acts&drops != 0:
		f.Rule = Drop.String()
	case e.acts&rewrites != 0:
		f.Rule = "rewrite"
	case e.acts&passes != 0:
		f.Rule = Pass.String()
	}
	return f
}

// ends are source and destination. The id of an echo stands at both.
func (t *tuple) ends() (src, dst netip.AddrPort) {
	sport, dport := t.sport, t.dport
	switch t.kind {
	case asks:
		dport = sport
	case answers:
		sport = dport
	}
	return netip.AddrPortFrom(t.src.netip(t.v6), sport), netip.AddrPortFrom(t.dst.netip(t.v6), dport)
}

// Unrule takes back what all programs have said of the flow, which goes through their
// handlers again, and reports whether there was anything. A rewritten flow ends: those who
// send its packets know it by addresses that nobody would change any more. It is called
// between packets.
func (f Flow) Unrule() bool {
	e := f.entry()
	if e == nil || e.acts == 0 {
		return false
	}
	if e.acts&rewrites != 0 {
		f.t.end(f.i)
		return true
	}
	for n := e.shares; n != 0; {
		s := f.t.shares.at(n)
		s.act, s.set = 0, [2]fields{}
		n = s.next
	}
	e.way = [2]int16{NoWay, NoWay}
	f.t.sumUp(f.i)
	return true
}
