package engine

import (
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// waits are those of one program: of every packet, and of the packets of one flow.
type waits struct {
	any   standing
	flows map[flow.Flow]*standing // by Key
	last  uint64                  // how many there have been
}

// standing are those that take, and those that look.
type standing struct {
	takers, peeks filter.Set[*Waiting]
}

func (ws *waits) add(w *Waiting) {
	ws.last++
	w.order = ws.last
	st := &ws.any
	if w.a.Flow.s != nil {
		key := w.a.Flow.f.Key()
		if st = ws.flows[key]; st == nil {
			if ws.flows == nil {
				ws.flows = map[flow.Flow]*standing{}
			}
			st = new(standing)
			ws.flows[key] = st
		}
	}
	w.among = &st.takers
	if w.a.Peek {
		w.among = &st.peeks
	}
	w.entry = w.among.Add(w.a.Match, w)
}

func (ws *waits) remove(w *Waiting) {
	w.among.Remove(w.entry)
	w.entry = nil
	if w.a.Flow.s == nil {
		return
	}
	key := w.a.Flow.f.Key()
	if st := ws.flows[key]; st.takers.Len()+st.peeks.Len() == 0 {
		delete(ws.flows, key)
	}
}

// find is the longest waiting of set behind the place after that wants p. What is
// asked may begin and end waits.
func find(set *filter.Set[*Waiting], p *packet.Packet, after, last uint64) (*Waiting, uint64) {
	for {
		e, at := set.Next(p, after, last)
		if e == nil {
			return nil, 0
		}
		w := e.Value
		if w.a.Ask == nil || w.a.Ask(p) && w.entry == e {
			return w, at
		}
		after = at
	}
}

// show shows p, of that flow if it is found, to those that wait, and returns who
// takes it. One that has begun to wait only since p came, such as a task that has just
// been given a copy of it, does not see it.
func (ws *waits) show(p *packet.Packet, f flow.Flow, found bool) *Waiting {
	var of *standing
	if found && len(ws.flows) > 0 {
		of = ws.flows[f.Key()]
	}
	if of == nil {
		last := ws.any.takers.Last()
		ws.any.look(p)
		return ws.any.taker(p, last)
	}
	last, lastOf := ws.any.takers.Last(), of.takers.Last()
	ws.any.look(p)
	of.look(p)
	a, b := ws.any.taker(p, last), of.taker(p, lastOf)
	if a == nil || b != nil && b.order < a.order {
		return b
	}
	return a
}

// look gives copies of p to those that peek.
func (st *standing) look(p *packet.Packet) {
	if st.peeks.Len() == 0 {
		return
	}
	last := st.peeks.Last()
	for w, at := find(&st.peeks, p, 0, last); w != nil; w, at = find(&st.peeks, p, at, last) {
		w.deliver(p.Clone())
	}
}

// taker is the longest waiting that wants p.
func (st *standing) taker(p *packet.Packet, last uint64) *Waiting {
	if st.takers.Len() == 0 {
		return nil
	}
	w, _ := find(&st.takers, p, 0, last)
	return w
}

// some reports that somebody waits.
func (ws *waits) some() bool {
	return ws.any.takers.Len()+ws.any.peeks.Len() > 0 || len(ws.flows) > 0
}
