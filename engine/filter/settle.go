package filter

// settles says how the test c comes out for a packet that gave the answer a, if that
// is known. It leaves little to ask of a filter found through an index: the port need
// not be compared again, nor the protocol that its probe was for. The loads that are
// left out have been done, so none can end the filter any more.
func (a *anchor) settles(c *cond) (holds, known bool) {
	lo, hi := a.value, a.value
	switch {
	case a.probe.typed && c.typ && standard(c.load):
		lo, hi = a.probe.typ, a.probe.typ
	case a.probe.load != c.load:
		return false, false
	case c.mask&^a.probe.mask == 0:
		lo &= c.mask
		hi = lo
	case c.mask == full(c.load.size): // the bits that the probe leaves out may be anything
		hi |= c.mask &^ a.probe.mask
		if bits := c.mask &^ a.probe.mask; bits&(bits+1) != 0 {
			return false, false
		}
	default:
		return false, false
	}
	switch {
	case lo >= c.lo && hi <= c.hi:
		return true, true
	case hi < c.lo || lo > c.hi:
		return false, true
	}
	return false, false
}
