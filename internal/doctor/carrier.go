package doctor

import (
	"github.com/tunscript/tunscript/tundev/host"
)

// checkCarrier: it is up, and no program has it open, or the one that has took the
// carrier away (TUNSETCARRIER).
func checkCarrier(v *view) ([]Finding, error) {
	if !v.there() || !v.link.Up || v.link.Carrier {
		return nil, nil
	}
	name := v.name
	if len(v.holders) > 0 {
		return []Finding{v.finding("no carrier", "a program has it open, and has taken its carrier away",
			func(h *host.Handle) error { return h.SetCarrier(name) }, "ip link set "+name+" carrier on")}, nil
	}
	tap := ""
	if v.link.Kind == "tap" {
		tap = "--tap "
	}
	return []Finding{v.finding("no carrier", "no program has it open (NO-CARRIER), so nobody reads what is sent to it",
		nil, "tunscript run "+tap+"--device "+name+" --dump")}, nil
}
