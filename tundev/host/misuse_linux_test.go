package host_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/tundev/host"
)

// calls are all that a Handle does, about a device that is not there, in zeros, or about
// nothing.
func calls(h *host.Handle, name string) map[string]error {
	_, link := h.Link(name)
	_, at := h.LinkAt(1)
	_, links := h.Links()
	_, table := h.FreeTable()
	_, way := h.Way(addr("192.0.2.1"))
	_, has := h.HasRoute(name, pfx("192.0.2.0/24"))
	return map[string]error{
		"Link": link, "LinkAt": at, "Links": links, "FreeTable": table, "Way": way, "HasRoute": has,
		"SetMTU": h.SetMTU(name, 1500), "SetTxQueueLen": h.SetTxQueueLen(name, 1), "SetMAC": h.SetMAC(name, net.HardwareAddr{2, 0, 0, 0, 0, 1}),
		"NoLinkLocal": h.NoLinkLocal(name), "SetUp": h.SetUp(name), "SetDown": h.SetDown(name), "SetCarrier": h.SetCarrier(name),
		"Move": h.Move(name, -1), "AddAddr": h.AddAddr(name, host.Addr{Prefix: pfx("192.0.2.1/32")}),
		"DelAddr": h.DelAddr(name, host.Addr{Prefix: pfx("192.0.2.1/32")}), "AddRoute": h.AddRoute(name, pfx("192.0.2.0/24")),
		"DelRoute": h.DelRoute(name, pfx("192.0.2.0/24")), "ReplaceRoute": h.ReplaceRoute(name, pfx("192.0.2.0/24")),
		"Loop": h.Loop(name, name, 30000), "Apply": h.Apply(name, host.Settings{Up: true}),
		"Undo": h.Undo(host.Change{Kind: host.KindUp, Device: name}), "Undo of a loop": h.Undo(host.Change{Kind: host.KindLoop, Number: 30000}),
	}
}

// A Handle that is closed does nothing: least of all in another namespace, where the next
// call of the netlink library would be made. One that nobody has opened is a closed one.
func TestAClosedHandle(t *testing.T) {
	h := newWorld(t)
	h.must(errors.Join(h.Close(), h.Close()))
	for name, h := range map[string]*host.Handle{"closed": h.Handle, "zero": new(host.Handle)} {
		for call, err := range calls(h, "lo") {
			if _, ours := errors.AsType[*host.Error](err); !ours || !errors.Is(err, os.ErrClosed) {
				t.Errorf("%s, %s: %v, want an Error that wraps os.ErrClosed", name, call, err)
			}
		}
		if err := h.Close(); err != nil {
			t.Errorf("%s, Close: %v", name, err)
		}
	}
	h.has("link show lo", "LOOPBACK,UP") // nobody has taken it down
}

// What is said about nothing, with nothing or with zeros is an Error, and never a panic.
func TestMisuse(t *testing.T) {
	h := newWorld(t)
	for _, name := range []string{"", "nowhere", "\x00", "a/b", string(make([]byte, 300))} {
		for call, err := range calls(h.Handle, name) {
			switch call {
			case "LinkAt", "Links", "FreeTable", "Way", "Undo of a loop": // not about a device
				continue
			case "Undo": // of a device that is gone, or of none
				if err == nil {
					continue
				}
			}
			if _, ours := errors.AsType[*host.Error](err); !ours {
				t.Errorf("%s of %q: %v, want an Error", call, name, err)
			}
		}
	}
	_, at := h.LinkAt(-1)
	for call, err := range map[string]error{
		"SetMTU":        h.SetMTU("lo", -1),
		"SetTxQueueLen": h.SetTxQueueLen("lo", -1),
		"SetMAC":        h.SetMAC("lo", nil),
		"Move":          h.Move("lo", -1),
		"AddAddr":       h.AddAddr("lo", host.Addr{}),
		"AddAddr peer":  h.AddAddr("lo", host.Addr{Peer: addr("192.0.2.1")}),
		"DelAddr":       h.DelAddr("lo", host.Addr{}),
		"AddRoute":      h.AddRoute("lo", netip.Prefix{}),
		"DelRoute":      h.DelRoute("lo", netip.Prefix{}),
		"ReplaceRoute":  h.ReplaceRoute("lo", netip.Prefix{}),
		"Loop":          h.Loop("lo", "lo", 0),
		"LinkAt":        at,
		"Undo":          h.Undo(host.Change{}),
		"Undo nonsense": h.Undo(host.Change{Kind: "nonsense"}),
		"Undo sysctl":   h.Undo(host.Change{Kind: host.KindSysctl, Path: "../../etc/passwd"}),
		"Undo MAC":      h.Undo(host.Change{Kind: host.KindMAC, Device: "lo"}),
		"Undo route":    h.Undo(host.Change{Kind: host.KindRoute, Device: "lo"}),
		"Undo address":  h.Undo(host.Change{Kind: host.KindAddr, Device: "lo"}),
		"Undo loop":     h.Undo(host.Change{Kind: host.KindLoop}),
	} {
		if _, ours := errors.AsType[*host.Error](err); !ours {
			t.Errorf("%s: %v, want an Error", call, err)
		}
	}
	if w, err := h.Way(netip.Addr{}); err == nil && w.Device != "" {
		t.Errorf("the way to nowhere is %+v", w)
	}
	if has, err := h.HasRoute("lo", netip.Prefix{}); has || err == nil {
		t.Errorf("a route to nowhere: %t, %v", has, err)
	}
	if list, err := host.Holders("nowhere"); len(list) > 0 || err != nil {
		t.Errorf("who has a device that is not there: %v, %v", list, err)
	}
	h.must(host.Forward(nil))
	host.Pair(nil, nil)
	if a, c := (host.Addr{}).String(), (host.Change{}).String(); a == "" || c == "" {
		t.Errorf("zeros are %q and %q", a, c)
	}
}

// A Watch that is closed, twice, or that nobody has opened.
func TestAClosedWatch(t *testing.T) {
	h := newWorld(t)
	var w *host.Watch
	h.must(h.do(func() (err error) { w, err = host.OpenWatch(); return err }))
	h.must(errors.Join(w.Close(), w.Close()))
	for name, w := range map[string]*host.Watch{"closed": w, "zero": new(host.Watch)} {
		if _, err := w.Next(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: Next says %v, want %v", name, err, os.ErrClosed)
		}
		h.must(w.Close())
	}
}

// Used and closed from many goroutines at once: nothing panics, nothing hangs, and who
// comes too late hears it.
func TestAllAtOnce(t *testing.T) {
	h := newWorld(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range i {
				calls(h.Handle, "nowhere")
			}
			h.Close()
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it hangs")
	}
	if err := h.SetUp("lo"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("afterwards: %v", err)
	}
}
