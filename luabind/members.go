package luabind

import (
	"iter"

	lua "github.com/yuin/gopher-lua"
)

// A member is what one name of a kind means. tcp.options is two of them: a layer
// that is read and a field that is set.
type member struct {
	field *field
	fn    *lua.LFunction // the method as Lua calls it
	layer *kind
}

// members are the names of a kind. Every field access looks one up, and half of what
// a Go map takes for it is its hash. Names are few and known beforehand, so here a
// name's length and two of its letters say where it stands; the few that find their
// place taken stand in a map.
type members struct {
	slots [memberSlots]struct {
		name string
		member
	}
	rest map[string]*member
}

const memberSlots = 128

// slotOf is where name stands. The factors were searched for: with them next to none
// of the API's names share a slot (TestNamesHaveSlotsOfTheirOwn).
func slotOf(name string) int {
	n := len(name)
	return (n*5 + int(name[0])*59 + int(name[n-1])*3) % memberSlots
}

// get is what name means; the zero member if nothing.
func (ms *members) get(name string) *member {
	if name == "" {
		return &noMember
	}
	if s := &ms.slots[slotOf(name)]; s.name == name {
		return &s.member
	}
	if m := ms.rest[name]; m != nil {
		return m
	}
	return &noMember
}

var noMember member

// at is the member of that name, made if it is not there.
func (ms *members) at(name string) *member {
	s := &ms.slots[slotOf(name)]
	switch {
	case s.name == name:
		return &s.member
	case s.name == "":
		s.name = name
		return &s.member
	case ms.rest == nil:
		ms.rest = map[string]*member{}
	}
	if ms.rest[name] == nil {
		ms.rest[name] = &member{}
	}
	return ms.rest[name]
}

// names are all names.
func (ms *members) names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range ms.slots {
			if name := ms.slots[i].name; name != "" && !yield(name) {
				return
			}
		}
		for name := range ms.rest {
			if !yield(name) {
				return
			}
		}
	}
}
