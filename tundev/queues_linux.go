package tundev

import (
	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/tundev/host"
)

func newDevice(c Config, t tuntap, s *setup, l host.Link, opened bool) *Device {
	d := &Device{}
	d.queues = newTunQueues(d, c, t, s, l, opened, openNetns())
	return d
}

// newTunQueues makes the queues of a device. The first one sees to the host's side, follows
// what becomes of the device and opens it again; the others are a descriptor each.
func newTunQueues(d *Device, c Config, t tuntap, s *setup, l host.Link, opened bool, home *netns) []queue {
	c.Name = t.name // which a pattern has become
	in := c.describe(l)
	d.update(func(was *engine.Info) { *was = in })
	first := newTunQueue(d, c, t, t.fd)
	first.s, first.opened, first.home = s, opened, home
	first.follow.watch, first.follow.index = s.watch, l.Index
	first.first = first
	all := []queue{first}
	for _, fd := range t.more {
		q := newTunQueue(d, c, t, fd)
		q.s, q.first = &setup{name: t.name}, first
		first.others = append(first.others, q)
		all = append(all, q)
	}
	return all
}

func newTunQueue(d *Device, c Config, t tuntap, fd int) *tunQueue {
	q := &tunQueue{d: d, c: c, link: c.Kind.link(), pi: c.PI, fd: fd, room: room}
	q.vnet.on, q.vnet.udp = t.vnet(), c.Offload == OffloadMax
	return q
}

// changed has every queue make room for what the MTU lets come.
func (q *tunQueue) changed() {
	q.follow.other.Store(true)
	for _, o := range q.others {
		o.follow.other.Store(true)
	}
}
