package control

import (
	"errors"
	"sync"
	"testing"
	"time"
)

// Twelve clients at once shoot, reload, look at counters and flows, and others hang up in
// the middle of what they say: each gets its answers, and packets theirs.
func TestCrowd(t *testing.T) {
	r := newRigOf(t, hoard, 2)
	stop := r.keepAsking()
	var all sync.WaitGroup
	for n := range 12 {
		c := r.dial()
		all.Go(func() {
			for i := range 40 {
				var err error
				switch s := shots[(n*7+i)%len(shots)]; i % 5 {
				case 0:
					_, err = c.Reload(t.Context(), "")
				case 1:
					_, err = c.Stats(t.Context())
				case 2:
					_, err = c.Flows(t.Context(), "", false, func(Flow) error { return nil })
				default:
					_, err = c.Eval(t.Context(), s.source, "", 1+i%2)
					if e, ok := errors.AsType[*Error](err); ok && s.want != "" && e.Kind != "" {
						err = nil
					}
				}
				if err != nil {
					t.Errorf("client %d, request %d: %v", n, i, err)
					return
				}
			}
			if c.Close(); n%2 == 0 {
				if rude, err := Dial(t.Context(), r.path); err == nil {
					rude.c.Write([]byte(`{"v":1,"do":"eval","args":{"source":"while tr`))
					rude.Close()
				}
			}
		})
	}
	all.Wait()
	if packets := stop(); packets.answered < 10 || packets.lost > 0 || packets.longest > 5*time.Second {
		t.Errorf("packets: %+v", packets)
	}
	eventually(t, "who comes next is answered", func() bool {
		c, err := Dial(t.Context(), r.path)
		if err != nil {
			return false
		}
		defer c.Close()
		_, err = c.Stats(t.Context())
		return err == nil
	})
}
