package impair_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/packet"
)

// Whatever the options are, they are refused for a reason or can be carried out on
// whatever a packet is.
func FuzzOptions(f *testing.F) {
	f.Add(0.1, 0.0, 0.0, int64(0), int64(0), int64(0), "", "", []byte("\x45"), uint64(1))
	f.Add(0.1, 4.0, 0.5, int64(40e6), int64(10e6), int64(1e6), "in", "normal", []byte("\x45\x00\x00\x1c"), uint64(2))
	f.Add(1.0, 1.0, 1.0, int64(1), int64(1e15), int64(1), "out", "pareto", []byte("\x60\x00"), uint64(3))
	f.Fuzz(func(t *testing.T, a, b, c float64, x, y, z int64, word, dist string, frame []byte, seed uint64) {
		o := impair.Options{
			Loss: a, Burst: b, Reorder: c, Duplicate: b, Corrupt: c, Truncate: a,
			Delay: time.Duration(x), Jitter: time.Duration(y), Rate: z, Queue: int(x), MTU: int(z), TruncateTo: int(y), Gap: int(x),
			At: time.Duration(y), For: time.Duration(x), Every: time.Duration(z),
			Direction: impair.Direction(word), Distribution: impair.Distribution(dist),
			CorruptUnit: impair.Unit(word), CorruptPart: impair.Part(dist), KeepOrder: x%2 == 0, Mend: y%2 == 0,
		}
		if seed%3 == 0 {
			o.Gilbert = &impair.Gilbert{P: a, R: b, Good: c, Bad: a}
			o.Loss, o.Burst = 0, 0
		}
		r, err := impair.New(o)
		if err != nil {
			var oe *impair.OptionError
			if !errors.As(err, &oe) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		p, err := packet.Parse(frame, packet.LinkType(seed%2))
		if err != nil {
			return
		}
		l, chance := r.Link(), chance(seed)
		for i := range 10 {
			q := p.Clone()
			at := time.Duration(i) * time.Duration(seed%1e10)
			if !r.Wants(q, at) {
				continue
			}
			d := l.Decide(q, start.Add(at), chance)
			if d.Drop != "" && (d.Delay != 0 || d.Copy || d.Corrupted()) {
				t.Fatalf("dropped, and more: %+v", d)
			}
			if d.Delay < 0 || d.CopyDelay < 0 {
				t.Fatalf("a packet arrives before it was sent: %+v", d)
			}
			d.Apply(q)
			if q.Len() < 1 || q.Len() > p.Len() {
				t.Fatalf("%d bytes became %d", p.Len(), q.Len())
			}
		}
	})
}
