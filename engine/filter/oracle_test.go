package filter

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/packet"
)

const (
	oracleFrames    = 2100 // of each link type, besides the captured ones
	oracleGenerated = 300  // filters besides the hand-picked ones
)

// Match by match the same as tcpdump, whose -O leaves the program as libpcap's
// compiler makes it. The optimizer drops loads that do not matter for the result,
// even where they would have ended the filter outside the frame; there the two ways
// to run tcpdump differ from each other, and we do as the compiler says.
func TestMatchesAsTCPDump(t *testing.T) {
	needTCPDump(t)
	r := rand.New(rand.NewPCG(1, 2))
	c := &corpus{t, r}
	texts := expressions(t)
	silent := map[string]bool{} // the hand-picked ones that match nothing
	for _, text := range texts {
		silent[text] = true
	}
	for range oracleGenerated {
		texts = append(texts, grammar{r}.expr(2))
	}
	known := captured(t)
	for _, l := range []struct {
		name string
		link packet.LinkType
		dlt  layers.LinkType
		make func(int) [][]byte
	}{
		{"raw", packet.IP, layers.LinkTypeRaw, c.raw},
		{"ethernet", packet.Ethernet, layers.LinkTypeEthernet, c.ethernet},
	} {
		t.Run(l.name, func(t *testing.T) {
			var frames [][]byte
			var packets []*packet.Packet
			all := l.make(oracleFrames)
			for _, f := range known {
				if l.link == packet.IP {
					f = inside(f)
				}
				if f != nil {
					all = append(all, f)
				}
			}
			for _, p := range parseAll(t, l.link, all) {
				if !c.round(p) {
					packets, frames = append(packets, p), append(frames, p.Frame())
				}
			}
			file := capture(l.dlt, frames)
			var compared, refused, optimized atomic.Int64
			work := make(chan string)
			var wg sync.WaitGroup
			var mu sync.Mutex // a packet finds its layout when first asked: one at a time
			for range 2 {
				wg.Go(func() {
					for text := range work {
						want, err := matches(t.Context(), file, len(frames), text, "-O")
						if why, ok := err.(*refusal); ok {
							refused.Add(1)
							if _, err := Compile(text); err == nil && !onlyEthernet(why.why) {
								t.Errorf("%s: tcpdump says %v", text, err)
							}
							continue
						}
						if err != nil {
							t.Errorf("%s: tcpdump: %v", text, err)
							continue
						}
						f, err := Compile(text)
						if err != nil {
							t.Errorf("tcpdump takes it: %v", err)
							continue
						}
						compared.Add(1)
						short := want
						if len(text)%4 == 0 { // a sample, as this costs a process each
							if short, err = matches(t.Context(), file, len(frames), text); err != nil {
								short = make([]bool, len(frames)) // "expression rejects all packets"
							}
						}
						mu.Lock()
						for i, p := range packets {
							if short[i] != want[i] {
								optimized.Add(1)
							}
							if want[i] {
								delete(silent, text)
							}
							if got := f.Match(p); got != want[i] {
								t.Errorf("%s: got %v, tcpdump %v, for % x", text, got, want[i], frames[i][:min(80, len(frames[i]))])
								break
							}
						}
						mu.Unlock()
					}
				})
			}
			for _, text := range texts {
				work <- text
			}
			close(work)
			wg.Wait()
			t.Logf("%d filters on %d packets; tcpdump refused %d; its optimizer changed %d matches of a quarter of them",
				compared.Load(), len(frames), refused.Load(), optimized.Load())
			if compared.Load() < 300 || len(frames) < 2000 {
				t.Error("too few to mean anything")
			}
		})
	}
	if len(silent) > len(expressions(t))/20 {
		t.Errorf("%d hand-picked filters match nothing, which says little: %q", len(silent), slices.Sorted(maps.Keys(silent)))
	}
}

// onlyEthernet reports a refusal that is about the link type: our filters are made
// before one is known, and what asks about Ethernet is false without it.
func onlyEthernet(why string) bool {
	for _, part := range []string{"no VLAN support", "supported only on ethernet", "not a broadcast link", "only link-layer"} {
		if strings.Contains(why, part) {
			return true
		}
	}
	return false
}

// What tcpdump takes we take, and what it refuses we refuse, but for names and for
// words of links that are neither TUN nor TAP.
func TestAcceptsAsTCPDump(t *testing.T) {
	needTCPDump(t)
	g := grammar{rand.New(rand.NewPCG(3, 4))}
	texts := expressions(t)
	picked := texts
	for range 300 {
		texts = append(texts, g.expr(2))
	}
	for range 900 {
		texts = append(texts, g.mutate(pick(g.r, picked)))
	}
	work := make(chan string)
	var wg sync.WaitGroup
	var took, refused, skipped atomic.Int64
	for range 2 {
		wg.Go(func() {
			for text := range work {
				_, ours := Compile(text)
				if strings.TrimSpace(text) == "" || ours != nil && apart(ours.Error()) {
					skipped.Add(1)
					continue
				}
				_, theirs := tcpdump(t.Context(), nil, "-O", "-y", "EN10MB", "-d", "--", text)
				if theirs == nil {
					took.Add(1)
				} else {
					refused.Add(1)
				}
				if (ours == nil) != (theirs == nil) {
					t.Errorf("%q\n\tours:   %v\n\ttheirs: %v", text, ours, theirs)
				}
			}
		})
	}
	for _, text := range texts {
		work <- text
	}
	close(work)
	wg.Wait()
	t.Logf("both took %d and refused %d; %d not compared", took.Load(), refused.Load(), skipped.Load())
	if took.Load() < 300 || refused.Load() < 300 {
		t.Error("too few of one kind to mean anything")
	}
}

// apart reports an error that libpcap need not share: names, which it would look
// up, and words that we leave out.
func apart(err string) bool {
	for _, part := range []string{"names are not looked up", "no meaning on TUN and TAP", "is not supported", "known here"} {
		if strings.Contains(err, part) {
			return true
		}
	}
	return false
}
