package flow

// Dir is the direction of a packet within its flow.
type Dir uint8

const (
	Forward Dir = iota // as the packet that the flow was made for
	Back               // as its answers
)

func (d Dir) String() string {
	if d == Back {
		return "back"
	}
	return "forward"
}

// A Flow is a flow as one packet of it sees it: with a direction. It is a small
// value, to be copied and kept; when the flow has ended it says so. The zero Flow
// is one that has ended.
type Flow struct {
	t   *Table
	i   uint32
	gen uint32
	dir Dir
}

// Dir is the direction of the packet that the Flow was found for.
func (f Flow) Dir() Dir { return f.dir }

// Live reports that the flow has not ended.
func (f Flow) Live() bool { return f.entry() != nil }

// Same reports that f and g are one flow, in whatever directions.
func (f Flow) Same(g Flow) bool { return f.t == g.t && f.i == g.i && f.gen == g.gen }

// Key is f as every packet of the flow gives it, whatever its direction: to be
// compared, or the key of a map.
func (f Flow) Key() Flow {
	f.dir = Forward
	return f
}

func (f Flow) entry() *entry {
	if f.t == nil {
		return nil
	}
	if e := f.t.entry(f.i); e.gen == f.gen {
		return e
	}
	return nil
}
