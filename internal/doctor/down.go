package doctor

import "github.com/tunscript/tunscript/tundev/host"

// checkDown: nobody has brought it up.
func checkDown(v *view) ([]Finding, error) {
	if !v.there() || v.link.Up {
		return nil, nil
	}
	return []Finding{v.finding("down", "it is down: the kernel sends nothing to it and takes nothing from it",
		func(h *host.Handle) error { return h.SetUp(v.link.Name) }, "ip link set "+v.name+" up")}, nil
}
