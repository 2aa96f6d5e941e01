package engine

import (
	"fmt"
	"slices"
)

// changed is what a device calls when its Info is another. Any goroutine may.
func (w *worker) changed(l *lane) {
	if l.other.Swap(true) {
		return // the worker has not come to it yet
	}
	w.mail.send(func() {
		l.other.Store(false)
		if !w.ended {
			w.change(l)
		}
	}, w.wake)
}

// change has packets of l carry what its device is now.
func (w *worker) change(l *lane) {
	was, is := l.info, w.e.devices[l.index].dev.Info()
	is.Name = l.name // by which it is known here, whatever else has changed
	words := was.differences(is)
	if len(words) == 0 {
		return
	}
	l.info = is
	old := l.port
	l.port = is.port(l.index)
	for _, o := range w.devices {
		if o.way == old {
			o.way = l.port
		}
	}
	if w.index > 0 {
		return // the first worker says so
	}
	w.e.log.Info("a device has changed", append([]any{"device", l.name}, words...)...)
	if w.e.watched() {
		w.observe(Event{Kind: Changed, Device: l.name})
	}
}

// differences says for the log what another Info has different.
func (in Info) differences(o Info) (words []any) {
	say := func(changed bool, key string, value any) {
		if changed {
			words = append(words, key, value)
		}
	}
	say(in.Kernel != o.Kernel, "kernel_name", o.Kernel)
	say(in.Down != o.Down, "up", !o.Down)
	say(in.Moved != o.Moved, "other_namespace", o.Moved)
	say(in.MTU != o.MTU, "mtu", o.MTU)
	say(in.MAC != o.MAC, "mac", o.MAC)
	say(in.PeerMAC != o.PeerMAC, "peer_mac", o.PeerMAC)
	say(!slices.Equal(in.Address, o.Address), "address", fmt.Sprint(o.Address))
	say(!slices.Equal(in.Peer, o.Peer), "peer", fmt.Sprint(o.Peer))
	return words
}
