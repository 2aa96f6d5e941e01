package shared_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine/shared"
)

var start = time.Unix(1_700_000_000, 0)

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * 1e9)) }

func open(t testing.TB, l shared.Limits, name string) (*shared.Store, *shared.Dict) {
	t.Helper()
	s := shared.NewStore(l)
	d, err := s.Dict(name)
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

// Port knocking, as a script would do it.
func ExampleDict() {
	store := shared.NewStore(shared.Limits{})
	knock, _ := store.Dict("knock")
	now := time.Unix(0, 0)
	for range 3 {
		n, _ := knock.Incr(now, "192.0.2.1", 1)
		if n == 3 {
			knock.Set(now, "open 192.0.2.1", shared.Bool(true), time.Minute)
		}
	}
	for _, after := range []time.Duration{59 * time.Second, 60 * time.Second} {
		_, open := knock.Get(now.Add(after), "open 192.0.2.1")
		fmt.Println(after, open)
	}
	// Output:
	// 59s true
	// 1m0s false
}

func TestValues(t *testing.T) {
	_, d := open(t, shared.Limits{}, "d")
	for _, v := range []shared.Value{shared.String(""), shared.String("a\x00b"), shared.Number(-1.5), shared.Bool(true), shared.Bool(false)} {
		if err := d.Set(start, "k", v, 0); err != nil {
			t.Fatal(err)
		}
		if got, ok := d.Get(start, "k"); !ok || got != v {
			t.Errorf("stored %v, got %v, %t", v, got, ok)
		}
	}
	if b, ok := shared.Bool(true).Bool(); !b || !ok {
		t.Error("true is not true")
	}
	if _, ok := shared.Number(0).Text(); ok {
		t.Error("a number is a string")
	}
}

func TestExpiry(t *testing.T) {
	s, d := open(t, shared.Limits{}, "d")
	d.Set(at(0), "a", shared.Number(1), 10*time.Second)
	d.Set(at(0), "b", shared.Number(1), 0)
	if ok, _ := d.Add(at(5), "a", shared.Number(2), 0); ok {
		t.Error("added over what is there")
	}
	if n, _ := d.Incr(at(9), "a", 1); n != 2 {
		t.Errorf("incremented to %v", n)
	}
	if got := []time.Duration{d.TTL(at(9), "a"), d.TTL(at(9), "b"), d.TTL(at(9), "c")}; !slices.Equal(got, []time.Duration{time.Second, 0, -1}) {
		t.Errorf("times to live %v", got)
	}
	if n, _ := d.Incr(at(10), "a", 5); n != 5 {
		t.Errorf("after its time it counts from 0, got %v", n)
	}
	d.Expire(at(10), "a", time.Second)
	if d.Expire(at(11), "a", time.Second) {
		t.Error("what has expired lives on")
	}
	if st := s.Stats(); st.Expired != 2 || st.Entries != 1 || st.Evicted != 0 {
		t.Errorf("%+v", st)
	}
	if diff := cmp.Diff([]string{"b"}, d.Keys(at(11))); diff != "" {
		t.Error(diff)
	}
}

// What is nearest to its expiry goes first, then what was set longest ago; it does not
// matter in which dictionary it is.
func TestEviction(t *testing.T) {
	s, d := open(t, shared.Limits{Entries: 4}, "d")
	other, _ := s.Dict("other")
	d.Set(at(0), "old", shared.Number(1), 0)
	d.Set(at(0), "new", shared.Number(1), 0)
	other.Set(at(0), "late", shared.Number(1), time.Hour)
	other.Set(at(0), "soon", shared.Number(1), time.Minute)
	d.Set(at(0), "old", shared.Number(2), 0) // now the newest
	var gone []string
	for i := range 4 {
		d.Set(at(1), fmt.Sprint(i), shared.Number(1), 0)
		for _, k := range []string{"soon", "late", "new", "old"} {
			_, here := d.Get(at(1), k)
			_, there := other.Get(at(1), k)
			if !here && !there && !slices.Contains(gone, k) {
				gone = append(gone, k)
			}
		}
	}
	if diff := cmp.Diff([]string{"soon", "late", "new", "old"}, gone); diff != "" {
		t.Error(diff)
	}
	if st := s.Stats(); st.Entries != 4 || st.Evicted != 4 {
		t.Errorf("%+v", st)
	}
}

func TestListIsAQueue(t *testing.T) {
	s, d := open(t, shared.Limits{Entries: 3}, "d")
	for i := range 3 {
		if n, err := d.Push(start, "q", shared.Number(float64(i))); n != i+1 || err != nil {
			t.Errorf("push %d: %d, %v", i, n, err)
		}
	}
	if _, err := d.Push(start, "q", shared.Number(3)); !errors.Is(err, shared.ErrFull) {
		t.Errorf("a list longer than all there is: %v", err)
	}
	if _, err := d.Incr(start, "q", 1); !errors.Is(err, shared.ErrType) {
		t.Errorf("a list as a number: %v", err)
	}
	if _, ok := d.Get(start, "q"); ok {
		t.Error("a list is no value")
	}
	for i := range 3 {
		v, ok := d.Pop(start, "q")
		if n, _ := v.Number(); !ok || n != float64(i) {
			t.Errorf("pop %d: %v, %t", i, v, ok)
		}
	}
	if _, ok := d.Pop(start, "q"); ok || s.Stats().Entries != 0 || s.Stats().Bytes != 0 {
		t.Errorf("an empty list is left: %+v", s.Stats())
	}
	d.Set(start, "v", shared.Number(1), 0)
	if _, err := d.Push(start, "v", shared.Number(1)); !errors.Is(err, shared.ErrType) {
		t.Errorf("a number as a list: %v", err)
	}
}

func TestMisuse(t *testing.T) {
	s, d := open(t, shared.Limits{}, "d")
	for _, key := range []string{"", strings.Repeat("k", shared.MaxKey+1)} {
		if err := d.Set(start, key, shared.Number(1), 0); !errors.Is(err, shared.ErrKey) {
			t.Errorf("a key of %d bytes: %v", len(key), err)
		}
	}
	var err error
	for i := range shared.MaxDicts {
		_, err = s.Dict(fmt.Sprint(i))
	}
	if !errors.Is(err, shared.ErrDicts) {
		t.Errorf("%d dictionaries: %v", shared.MaxDicts+1, err)
	}
	if same, _ := s.Dict("d"); same != d {
		t.Error("the same name is another dictionary")
	}
}

// A flood of long values costs what the limit says, and in truth not much more.
func TestFloodIsBounded(t *testing.T) {
	const limit = 8 << 20
	s, d := open(t, shared.Limits{Bytes: limit, Entries: 1 << 30}, "d")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 100_000 {
		d.Set(start, fmt.Sprint("key ", i), shared.String(strings.Repeat("x", rng.IntN(1000))), 0)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if st := s.Stats(); st.Bytes > limit || st.Bytes < limit/2 || st.Evicted == 0 {
		t.Errorf("%+v", st)
	}
	if held := int(after.HeapAlloc) - int(before.HeapAlloc); held > limit*5/4 {
		t.Errorf("%d bytes are held, limit %d", held, limit)
	}
	if err := d.Set(start, "k", shared.String(strings.Repeat("x", limit)), 0); !errors.Is(err, shared.ErrFull) {
		t.Errorf("a value as large as the store: %v", err)
	}
	runtime.KeepAlive(s)
}

func TestIncrIsOneStep(t *testing.T) {
	_, d := open(t, shared.Limits{}, "d")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				d.Incr(start, "n", 1)
			}
		})
	}
	wg.Wait()
	if v, _ := d.Get(start, "n"); v != shared.Number(4000) {
		t.Errorf("4 times 1000 is %v", v)
	}
}

func BenchmarkIncr(b *testing.B) {
	_, d := open(b, shared.Limits{}, "d")
	b.ReportAllocs()
	for b.Loop() {
		d.Incr(start, "192.0.2.1", 1)
	}
}

// BenchmarkFull sets ever new keys in a store that is full.
func BenchmarkFull(b *testing.B) {
	_, d := open(b, shared.Limits{}, "d")
	keys := make([]string, 200_000)
	for i := range keys {
		keys[i] = fmt.Sprint(i)
	}
	i := 0
	for b.Loop() {
		d.Set(start, keys[i%len(keys)], shared.Number(1), time.Duration(i%1000+1)*time.Second)
		i++
	}
}
