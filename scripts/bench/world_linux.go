package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/tundev/host"
)

// The world: the bench, its load and every program are in one namespace, with tun0;
// tun1, of forwarders, is moved to a second one.
//
//	192.0.2.1 tun0 [program] tun1 192.0.2.2
type world struct {
	dir         string
	near, far   *host.Handle
	behind      *lab.Namespace
	ours, other unix.CPUSet // processors: of the program, of the load
	all         unix.CPUSet
}

var (
	hostAddr = netip.MustParsePrefix("192.0.2.1/24")
	peerAddr = netip.MustParsePrefix("192.0.2.2/24")
	mapped   = netip.MustParseAddr("203.0.113.9") // what rewrite.lua makes 192.0.2.2
)

func newWorld(dir string) (*world, error) {
	w := &world{dir: dir}
	if err := unix.SchedGetaffinity(0, &w.all); err != nil {
		return nil, err
	}
	// The first processor is the program's, the last one the load's.
	n := 0
	for cpu := range int(unsafe.Sizeof(w.all)) * 8 {
		if w.all.IsSet(cpu) {
			if n++; n == 1 {
				w.ours.Set(cpu)
			}
			w.other.Zero()
			w.other.Set(cpu)
		}
	}
	if n < 2 {
		return nil, errors.New("one processor only: the load would be measured with the program; use two")
	}
	var err error
	if w.near, err = host.Open(); err != nil {
		return nil, err
	}
	if w.behind, err = lab.NewNamespace(); err != nil {
		return nil, err
	}
	w.far, err = w.behind.Host()
	return w, err
}

func (w *world) close() {
	w.near.Close()
	w.far.Close()
	w.behind.Close()
}

// A sample is one measurement.
type sample struct {
	value float64 // answers/s, bits/s, or seconds
	cpu   float64 // seconds of the program for one packet, or one byte; 0: not measured
	user  float64 // share of it
	rss   int64   // resident bytes of the program behind the load

	disturbed float64 // echo: share of the time in which somebody else had the load's processor
}

// measure starts a program, puts it before its load and ends it.
func (w *world) measure(ctx context.Context, p program, d time.Duration) (s sample, err error) {
	cpus := w.ours
	if p.group == forward {
		cpus = w.all
	}
	proc, err := launch(p.argv, cpus, nil)
	if err != nil {
		return s, err
	}
	defer w.gone(ctx)
	defer proc.stop()
	if err := w.up(ctx, proc, w.near, "tun0", hostAddr); err != nil {
		return s, err
	}
	if p.group == forward {
		if err := w.await(ctx, proc, w.near, "tun1"); err != nil {
			return s, err
		}
		if err := proc.says(ctx, p.ready); err != nil {
			return s, err
		}
		if err := w.behind.Adopt("tun1"); err != nil {
			return s, err
		}
		if err := w.up(ctx, proc, w.far, "tun1", peerAddr); err != nil {
			return s, err
		}
	}
	switch p.group {
	case echo:
		s, err = w.echo(ctx, proc, d)
	case ping:
		s, err = w.ping(ctx, d)
	case start:
		s, err = w.first(ctx, proc)
	case forward:
		s, err = w.iperf(ctx, proc, p.rewrite, d)
	}
	if gone := proc.alive(); gone != nil {
		return s, gone
	}
	return s, err
}

// up waits for a device and gives it its address.
func (w *world) up(ctx context.Context, proc *process, h *host.Handle, device string, addr netip.Prefix) error {
	if err := w.await(ctx, proc, h, device); err != nil {
		return err
	}
	set := host.Settings{NoLinkLocal: true, Up: true, Addrs: []host.Addr{{Prefix: addr}}}
	if addr == hostAddr {
		set.Routes = []netip.Prefix{netip.PrefixFrom(mapped, 32)}
	}
	return h.Apply(device, set)
}

// await waits until a program has made its device; Scapy takes a second to load.
func (w *world) await(ctx context.Context, proc *process, h *host.Handle, device string) error {
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Microsecond) {
		if _, err := h.Link(device); err == nil {
			return nil
		}
		if err := proc.alive(); err != nil {
			return err
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("%s has made no %s", proc.cmd.Path, device)
		}
	}
}

// says waits until a program has said text: one that sets its device up must not lose
// it to another namespace meanwhile.
func (p *process) says(ctx context.Context, text string) error {
	for end := time.Now().Add(5 * time.Second); !strings.Contains(p.out.String(), text); time.Sleep(time.Millisecond) {
		if err := p.alive(); err != nil {
			return err
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("%s has not said %q", p.cmd.Path, text)
		}
	}
	return nil
}

// gone waits until the devices have gone with their program, a second at most: the
// next one's have the same names.
func (w *world) gone(ctx context.Context) {
	for end := time.Now().Add(time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		_, near := w.near.Link("tun0")
		_, far := w.far.Link("tun1")
		if near != nil && far != nil {
			return
		}
	}
}
