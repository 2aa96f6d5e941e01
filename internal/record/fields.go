package record

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/tunscript/tunscript/engine/packet"
)

// fields are the fields in which two packets differ, by the names that scripts use, in
// the order of the packet; the first byte, where no field says.
func fields(was, got *packet.Packet) []Field {
	before, names := shown(was)
	after, more := shown(got)
	for _, name := range more {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	var all []Field
	for _, name := range names {
		if before[name] != after[name] {
			all = append(all, Field{name, cmp.Or(before[name], "nothing"), cmp.Or(after[name], "nothing")})
		}
	}
	if len(all) > 0 {
		return all
	}
	a, b := was.Append(nil), got.Append(nil)
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return []Field{{fmt.Sprintf("byte %d", i), fmt.Sprintf("%#02x", a[i]), fmt.Sprintf("%#02x", b[i])}}
		}
	}
	return []Field{{"len", fmt.Sprint(len(a)), fmt.Sprint(len(b))}}
}

// shown takes the tree of a packet apart: "tcp.dport" and its value, and the names in
// their order. What says where a packet is and when is left out, as that is not sent.
func shown(p *packet.Packet) (values map[string]string, names []string) {
	values = map[string]string{}
	section := ""
	for line := range strings.Lines(p.Show()) {
		line = strings.TrimRight(line, "\n")
		if field, ok := strings.CutPrefix(line, "  "); !ok {
			section, _, _ = strings.Cut(line, " ")
			section = strings.TrimSuffix(section, ",")
			continue
		} else if name, value, ok := strings.Cut(field, " = "); ok && section != "packet" {
			name = section + "." + name
			value, _, _ = strings.Cut(value, " -- ")
			if _, twice := values[name]; !twice {
				names = append(names, name)
				values[name] = value
			}
		} else if section == "payload" {
			if values[section] == "" {
				names = append(names, section)
			}
			values[section] += field
		}
	}
	return values, names
}
