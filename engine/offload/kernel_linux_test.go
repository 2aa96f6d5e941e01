package offload_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// A cutter is the kernel: what is written to one device is redirected to another that
// takes no super-packets, so that the kernel cuts them up and finishes checksums.
type cutter struct {
	t       testing.TB
	in, out engine.Queue
	pool    packet.Pool
}

func newCutter(t testing.TB) *cutter {
	t.Helper()
	labtest.Need(t, "tc")
	n := labtest.Namespace(t)
	open := func(name string, o tundev.Offload) engine.Queue {
		var d *tundev.Device
		err := n.Do(func() (err error) {
			d, err = tundev.Open(tundev.Config{Name: name, Offload: o})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		q, err := d.Attach(engine.Env{Now: time.Now, Wake: func(int) {}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { q[0].Close() })
		return q[0]
	}
	k := &cutter{t: t, in: open("tun0", tundev.OffloadAuto), out: open("tun1", tundev.OffloadOff)}
	for _, args := range [][]string{
		{"qdisc", "add", "dev", "tun0", "clsact"},
		{"filter", "add", "dev", "tun0", "ingress", "protocol", "all", "u32", "match", "u32", "0", "0", "action", "mirred", "egress", "redirect", "dev", "tun1"},
	} {
		err := n.Do(func() error {
			if out, err := exec.Command("tc", args...).CombinedOutput(); err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		})
		if err != nil {
			t.Skipf("the kernel has no clsact or mirred, load sch_ingress, cls_u32 and act_mirred: %v", err)
		}
	}
	return k
}

// cut is what the kernel makes of ps, which are n packets on the wire.
func (k *cutter) cut(ps []*packet.Packet, n int) (all []*packet.Packet) {
	k.t.Helper()
	lost := func(p *packet.Packet, why engine.Reason) { k.t.Errorf("%v is lost: %v", p, why) }
	if err := k.in.Write(ps, lost); err != nil {
		k.t.Fatal(err)
	}
	buf := make([]*packet.Packet, 64)
	for end := time.Now().Add(time.Second); len(all) < n && time.Now().Before(end); {
		got, err := k.out.Read(buf, &k.pool)
		if err != nil {
			k.t.Fatal(err)
		}
		for _, p := range buf[:got] {
			all = append(all, p.Clone())
			k.pool.Put(p)
		}
	}
	return all
}

// Segments are, byte for byte, what the kernel cuts, and what is walked over, changed
// and joined again is cut by it to what it would be without all this.
func TestTheKernelCutsTheSame(t *testing.T) {
	k := newCutter(t)
	r := rand.New(rand.NewPCG(9, 9))
	w := offload.Walker{Pool: &packet.Pool{}}
	cases, segments := 0, 0
	for cases < 1000 {
		p := random(t, r)
		if p.Link() != packet.IP || p.Layout().Proto == packet.ProtoUDP && p.Segments() > 128 {
			continue
		}
		cases++
		what := fmt.Sprintf("case %d: %v by %d", cases, p, p.GSO().Size)
		want, err := w.Split(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		segments += len(want)
		same := func(what string, got, want []*packet.Packet) {
			for i := range min(len(got), len(want)) {
				if a, b := got[i].Bytes(), want[i].Append(nil); !bytes.Equal(a, b) {
					t.Fatalf("%s: packet %d of the kernel is\n%s, ours\n%s", what, i, dump(a), dump(b))
				}
			}
			if len(got) != len(want) {
				t.Fatalf("%s: the kernel makes %d packets, we %d", what, len(got), len(want))
			}
		}
		same(what, k.cut([]*packet.Packet{p}, len(want)), want)

		// The same with edits here and there, joined.
		var out, edited []*packet.Packet
		j := offload.Joiner{TCP: true, UDP: true}
		w.Out = func(q *packet.Packet) {
			if !j.Add(q, w.Pool) {
				out = append(out, q)
			}
		}
		i, some := 0, r.IntN(12)
		_, err = w.Walk(p, func(s *packet.Packet) offload.Fate {
			q := want[i]
			i++
			n := r.IntN(12)
			if n >= some {
				n = len(edits)
			}
			if n < len(edits)-2 { // not to another link
				edits[n].do(s)
				edits[n].do(q)
			}
			edited = append(edited, q)
			return offload.Pass
		})
		if err != nil {
			t.Fatal(err)
		}
		j.End()
		same(what+", edited", k.cut(out, len(edited)), edited)
	}
	t.Logf("%d super-packets, %d segments", cases, segments)
}
