package frag

import (
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// How long a datagram may take to become whole, from its first fragment on: RFC 791
// leaves 15 s or more, RFC 1122 wants 60 to 120 and Linux takes 30; RFC 8200
// section 4.5 says 60.
const (
	Timeout4 = 30 * time.Second
	Timeout6 = 60 * time.Second
)

// Limits bound what a Joiner holds. A 0 is the default.
type Limits struct {
	Datagrams int // that are not whole, or were given up lately; 1024
	Bytes     int // of memory for them; 4 MiB
	Fragments int // of one datagram; 1024, enough for 65535 bytes at an MTU of 88
}

const (
	defaultDatagrams = 1024
	defaultBytes     = 4 << 20
	defaultFragments = 1024

	keepSpare = 4       // datagrams whose memory is used again,
	keepBytes = 1 << 17 // of so much each, or an eighth of all that may be held
)

// A Joiner holds fragments until their datagrams are whole. It is used by one
// goroutine at a time.
type Joiner struct {
	limits Limits
	pool   *packet.Pool
	tell   func(Abandoned)
	held   map[key]*datagram
	ages   [2]ages // IPv4 and IPv6: each has one timeout, so the oldest is due first
	bytes  int
	made   uint64
	spare  []*datagram
}

// New makes a Joiner that takes the packets it makes from pool, which may be nil,
// and tells of every datagram that it gives up.
func New(limits Limits, pool *packet.Pool, tell func(Abandoned)) *Joiner {
	or := func(n, usual int) int {
		if n <= 0 {
			return usual
		}
		return n
	}
	limits = Limits{or(limits.Datagrams, defaultDatagrams), or(limits.Bytes, defaultBytes), or(limits.Fragments, defaultFragments)}
	if tell == nil {
		tell = func(Abandoned) {}
	}
	return &Joiner{limits: limits, pool: pool, tell: tell, held: map[key]*datagram{}}
}

// Add takes in what p carries, a packet whose layout says that it is a fragment,
// and says what became of it. p stays the caller's. If p completed its datagram,
// whole is it, with p's ports and time, and the caller's. A time that goes back is
// harmless.
func (j *Joiner) Add(p *packet.Packet, now time.Time) (whole *packet.Packet, fate Fate) {
	j.Expire(now)
	if p == nil {
		return nil, Malformed
	}
	f, ok := read(p)
	if !ok {
		return nil, Malformed
	}
	d := j.held[f.key]
	switch {
	case d == nil:
		d = j.begin(&f, p, now)
	case d.dead != 0:
		return nil, d.dead
	}
	switch fate := d.add(&f, j.limits.Fragments); fate {
	case Held:
	case Duplicate:
		return nil, fate
	default:
		j.kill(d, fate)
		return nil, fate
	}
	if d.whole() {
		return j.join(d, p)
	}
	j.weigh(d)
	return nil, j.makeRoom(d)
}

// begin makes a datagram for f.
func (j *Joiner) begin(f *fragment, p *packet.Packet, now time.Time) *datagram {
	for len(j.held) >= j.limits.Datagrams {
		j.abandon(j.oldest(), Limit)
	}
	var d *datagram
	if last := len(j.spare) - 1; last >= 0 {
		d, j.spare = j.spare[last], j.spare[:last]
	} else {
		d = &datagram{total: -1}
	}
	timeout := Timeout4
	if f.version == 6 {
		timeout = Timeout6
	}
	d.key, d.in, d.link, d.deadline = f.key, p.In, p.Link(), now.UnixNano()+int64(timeout)
	j.made++
	d.number = j.made
	j.held[d.key] = d
	j.ages[d.age()].add(d)
	return d
}

// join gives out the packet of d, which p completed.
func (j *Joiner) join(d *datagram, p *packet.Packet) (*packet.Packet, Fate) {
	whole := d.join(j.pool)
	if whole == nil {
		d.count-- // p is told of by its fate
		j.kill(d, Malformed)
		return nil, Malformed
	}
	whole.In, whole.Out, whole.Time = p.In, p.Out, p.Time
	j.forget(d)
	return whole, Joined
}

// makeRoom gives up the oldest until what is held keeps to its limit, and says what
// became of the fragment that d has just got.
func (j *Joiner) makeRoom(d *datagram) Fate {
	for j.bytes > j.limits.Bytes {
		o := j.oldest()
		if o == d {
			o.count--
		}
		j.abandon(o, Limit)
		if o == d {
			return Limit
		}
	}
	return Held
}

// Expire gives up what was not whole in time.
func (j *Joiner) Expire(now time.Time) {
	at := now.UnixNano()
	for i := range j.ages {
		for d := j.ages[i].oldest; d != nil && d.deadline <= at; d = j.ages[i].oldest {
			j.abandon(d, Expired)
		}
	}
}

// Next is when Expire has something to do, and false while nothing is held.
func (j *Joiner) Next() (at time.Time, ok bool) {
	due := int64(0)
	for i := range j.ages {
		if d := j.ages[i].oldest; d != nil && (!ok || d.deadline < due) {
			due, ok = d.deadline, true
		}
	}
	return time.Unix(0, due), ok
}

// Held is how many datagrams are not whole, or were given up lately, and the memory
// they take in bytes, as Limits counts it.
func (j *Joiner) Held() (datagrams, bytes int) { return len(j.held), j.bytes }

// Close gives up everything that is held, as expired.
func (j *Joiner) Close() {
	for d := j.oldest(); d != nil; d = j.oldest() {
		j.abandon(d, Expired)
	}
	j.spare = nil
}

// kill gives d up and leaves it as a mark, without its bytes.
func (j *Joiner) kill(d *datagram, why Fate) {
	j.say(d, why)
	d.dead, d.count = why, 0
	d.head, d.data, d.parts = nil, nil, nil
	j.weigh(d)
}

// abandon gives d up, or forgets it if that was done before.
func (j *Joiner) abandon(d *datagram, why Fate) {
	j.say(d, why)
	j.forget(d)
}

func (j *Joiner) say(d *datagram, why Fate) {
	if d.count > 0 {
		j.tell(Abandoned{Why: why, Fragments: d.count, In: d.in, d: d, pool: j.pool})
	}
}

// forget takes d out and keeps its memory for another.
func (j *Joiner) forget(d *datagram) {
	delete(j.held, d.key)
	j.ages[d.age()].remove(d)
	j.bytes -= d.cost
	if len(j.spare) < keepSpare && d.size() <= min(keepBytes, j.limits.Bytes/8) {
		d.clear()
		j.spare = append(j.spare, d)
	}
}

// weigh brings the bytes that are held up to date with d.
func (j *Joiner) weigh(d *datagram) {
	n := d.size()
	j.bytes += n - d.cost
	d.cost = n
}
