package frag

// oldest is the datagram that began first, nil if there is none.
func (j *Joiner) oldest() *datagram {
	a, b := j.ages[0].oldest, j.ages[1].oldest
	if a == nil || b != nil && b.number < a.number {
		return b
	}
	return a
}

// ages is a list of datagrams in the order of their beginning.
type ages struct{ oldest, newest *datagram }

func (l *ages) add(d *datagram) {
	d.older, d.newer = l.newest, nil
	if l.newest != nil {
		l.newest.newer = d
	} else {
		l.oldest = d
	}
	l.newest = d
}

func (l *ages) remove(d *datagram) {
	if d.older != nil {
		d.older.newer = d.newer
	} else {
		l.oldest = d.newer
	}
	if d.newer != nil {
		d.newer.older = d.older
	} else {
		l.newest = d.older
	}
	d.older, d.newer = nil, nil
}

// age is the place of the datagram's list in Joiner.ages.
func (d *datagram) age() int { return int(d.version)/2 - 2 }
