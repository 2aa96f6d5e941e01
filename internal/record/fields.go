package record

import (
	"fmt"

	"github.com/tunscript/tunscript/engine/packet"
)

// fields are the fields in which two packets differ; the first byte, where no field says.
func fields(was, got *packet.Packet) []Field {
	a, b := was.Append(nil), got.Append(nil)
	var all []Field
	if len(a) != len(b) {
		all = append(all, Field{"len", fmt.Sprint(len(a)), fmt.Sprint(len(b))})
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return append(all, Field{fmt.Sprintf("byte %d", i), fmt.Sprintf("%#02x", a[i]), fmt.Sprintf("%#02x", b[i])})
		}
	}
	return all
}
