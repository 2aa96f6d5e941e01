package luabind

import (
	"slices"
	"testing"
)

// A name that finds its slot taken is looked up in a map, which takes longer: it
// must not be one that every handler uses, and there must be few.
func TestNamesHaveSlotsOfTheirOwn(t *testing.T) {
	hot := []string{"ip", "tcp", "udp", "icmp", "icmp6", "eth", "payload", "len", "flow", "reply", "copy", "src", "dst", "ttl", "sport", "dport",
		"flags", "has", "seq", "ack", "options", "mss", "type", "u8", "u16", "u32"}
	var shared []string
	for _, l := range append(headerLayers(), packetLayer(), optionsLayer()) {
		names := map[string]bool{}
		for name := range l.fields {
			names[name] = true
		}
		for name := range l.methods {
			names[name] = true
		}
		for _, sub := range headerLayers() {
			names[sub.name] = names[sub.name] || l.name == "packet"
		}
		at := map[int]string{}
		for name, there := range names {
			if !there {
				continue
			}
			if other, taken := at[slotOf(name)]; taken {
				shared = append(shared, l.name+": "+name+" and "+other)
				if slices.Contains(hot, name) || slices.Contains(hot, other) {
					t.Errorf("%s: %s and %s share a slot: search for other factors of slotOf", l.name, name, other)
				}
			}
			at[slotOf(name)] = name
		}
	}
	if len(shared) > 8 {
		t.Errorf("%d names share a slot: %q", len(shared), shared)
	}
	t.Log(shared)
}
