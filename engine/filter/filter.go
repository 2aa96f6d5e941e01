package filter

import "github.com/tunscript/tunscript/engine/packet"

// A Filter is a condition on packets. It is never changed once it is made, so any
// number of goroutines may use it. A nil Filter matches everything, as does a zero one;
// none matches a nil packet.
type Filter struct {
	text string
	by   [2]compiled // by packet.LinkType
}

// compiled is a filter for one link type.
type compiled struct {
	cond    *cond
	code    program
	anchors [][]anchor // where an index may hang it
}

// anything is what a nil Filter means.
var anything = newFilter("", node{always, always})

func newFilter(text string, n node) *Filter {
	f := &Filter{text: text}
	f.by[packet.IP] = compiled{n.ip, flatten(n.ip), anchors(n.ip)}
	if f.by[packet.Ethernet] = f.by[packet.IP]; n.eth != n.ip { // a built one is the same for both
		f.by[packet.Ethernet] = compiled{n.eth, flatten(n.eth), anchors(n.eth)}
	}
	return f
}

// Compile reads pcap-filter(7) text of at most [MaxText] bytes. Text without a word
// matches everything. An error is a [*SyntaxError].
func Compile(text string) (*Filter, error) {
	n, err := parse(text)
	if err != nil {
		return nil, err
	}
	return newFilter(text, n), nil
}

// Match reports whether p is one of the packets meant. It allocates nothing and
// changes nothing but the layout that p remembers.
func (f *Filter) Match(p *packet.Packet) bool {
	return p != nil && (f.none() || f.by[p.Link()&1].code.run(p))
}

// none reports a filter without a condition.
func (f *Filter) none() bool { return f == nil || f.by[packet.IP].cond == nil }

// String is the text as it was given to Compile; of a built filter, what would mean
// nearly the same.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}
