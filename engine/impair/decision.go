package impair

import (
	"math/rand/v2"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// A Decision is what becomes of one packet.
type Decision struct {
	Drop      Reason        // it ends here; "": it does not
	Delay     time.Duration // it goes on so much later; 0: at once
	Jumped    bool          // it goes on ahead of its turn: Delay is what the line takes
	Copy      bool          // a copy of it, as it was before Apply, goes on, too
	CopyDelay time.Duration

	off  int   // of the byte that is damaged
	mask uint8 // its bits; 0: none is
	cut  int   // length of the frame that stays; 0: all of it
	mend bool
}

// Corrupted reports that Apply changes a bit or a byte.
func (d *Decision) Corrupted() bool { return d.mask != 0 }

// Truncated reports that Apply takes bytes off the end.
func (d *Decision) Truncated() bool { return d.cut != 0 }

// Apply does to p, which was decided about and has not been changed since, what the
// decision says about its bytes. It allocates nothing.
func (d *Decision) Apply(p *packet.Packet) {
	if d.mask != 0 {
		if d.mend {
			b, _ := p.Uint8(d.off)
			// Inside the frame, which is the only thing that can be wrong with it.
			_ = p.SetUint8(d.off, b^d.mask)
		} else {
			_ = p.Damage(d.off, d.mask)
		}
	}
	if d.cut != 0 {
		p.Cut(d.cut)
	}
}

// corrupt chooses a bit or a byte. A packet without the part that is to be hit stays
// as it is.
func (d *Decision) corrupt(o *Options, at *packet.Layout, chance *rand.Rand) {
	lo, hi := at.L3, at.End
	switch {
	case o.CorruptPart == Header:
		hi = at.Data
	case o.CorruptPart == Payload || o.Mend:
		lo = at.Data
	}
	if lo >= hi {
		return
	}
	d.off, d.mend = lo+chance.IntN(hi-lo), o.Mend
	if o.CorruptUnit == Byte {
		d.mask = uint8(1 + chance.IntN(255))
	} else {
		d.mask = 1 << chance.IntN(8)
	}
}

// truncate chooses how much of the IP packet stays: at least a byte, and never all.
func (d *Decision) truncate(o *Options, at *packet.Layout, chance *rand.Rand) {
	n := at.End - at.L3
	switch {
	case n < 2 || o.TruncateTo >= n:
	case o.TruncateTo > 0:
		d.cut = at.L3 + o.TruncateTo
	default:
		d.cut = at.L3 + 1 + chance.IntN(n-1)
	}
}
