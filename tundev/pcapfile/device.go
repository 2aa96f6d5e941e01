package pcapfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/internal/hold"
)

// Config is a capture as a device. The first six are as in tundev.Config.
type Config struct {
	Name    string // the file's, without folder and ending
	Address []netip.Prefix
	Peer    []netip.Addr
	MAC     packet.MAC // 02:00:00:00:00:01 for a capture of Ethernet
	PeerMAC packet.MAC // 02:00:00:00:00:02
	MTU     int        // 65535: what was captured may leave

	// MaxGap is the longest time between two packets on a virtual clock: a longer one
	// is a clock that was set, or a damaged stamp, and ErrGap. 0 is a day, less than 0
	// any time.
	MaxGap time.Duration

	Path   string          // the capture that is played; "-" is standard input
	Select Select          // of its packets
	Link   packet.LinkType // of the device where no packet tells
	Output string          // the file that gets what leaves, by its ending pcap or pcapng; "-" is standard output; empty: none
}

// Device plays a capture. Safe for concurrent use, but for SetName. The zero Device is a
// closed one.
type Device struct {
	hold hold.Hold
	info engine.Info
	q    *queue // nil: nobody has opened it
}

var (
	_ engine.Device = (*Device)(nil)
	_ engine.Timed  = (*queue)(nil)
)

// Open opens the files of c. It fails with an *Error where Path is no capture, or none
// that can be played, and with the system's error where there is no such file.
func Open(c Config) (*Device, error) {
	in, err := openInput(c.Path)
	if err != nil {
		return nil, err
	}
	var out io.WriteCloser
	if c.Output != "" {
		if out, err = createOutput(c.Output); err != nil {
			in.Close()
			return nil, err
		}
	}
	d, err := play(in, out, c)
	if err != nil {
		in.Close()
		if out != nil {
			out.Close()
		}
		return nil, err
	}
	return d, nil
}

// Play is Open for a capture that is not in a file, or an output that is not: out may be
// nil, and c.Output only says the format. If there is no error, both are closed with the
// device, if they can be.
func Play(in io.Reader, out io.Writer, c Config) (*Device, error) {
	c.Path = cmp.Or(c.Path, c.Name, "capture")
	if in == nil {
		return nil, &Error{File: c.Path, Kind: ErrFormat, Err: errors.New("it is nil"), Fix: "give Play a reader"}
	}
	return play(in, out, c)
}

func play(in io.Reader, out io.Writer, c Config) (*Device, error) {
	r, err := newReader(in, c.Path, c.Select)
	if err != nil {
		return nil, err
	}
	q := &queue{r: r, maxGap: cmp.Or(c.MaxGap, day)}
	// The first packet says what is captured; where there is none it matters to nobody.
	q.ahead, q.err = r.next()
	q.latest = q.ahead.Time
	link := q.ahead.Link
	switch {
	case q.err == nil:
	case r.classic != nil:
		link, _ = playable(r.classic.link)
	case q.err == io.EOF && r.skipped > 0:
		return nil, r.unplayable(r.foreign)
	default:
		link = c.Link
	}
	info := engine.Info{
		Name: cmp.Or(c.Name, stem(c.Path)), Link: link, MTU: cmp.Or(c.MTU, 65535),
		Address: slices.Clone(c.Address), Peer: slices.Clone(c.Peer),
	}
	if link == packet.Ethernet {
		info.MAC = cmp.Or(c.MAC, packet.MAC{2, 0, 0, 0, 0, 1})
		info.PeerMAC = cmp.Or(c.PeerMAC, packet.MAC{2, 0, 0, 0, 0, 2})
	}
	if out != nil {
		q.out = &output{w: out, e: newEncoder(formatOf(c.Output), link)}
	}
	q.closers = closers(in, out)
	q.link, q.name = link, info.Name
	d := &Device{info: info, q: q}
	q.hold = &d.hold
	return d, nil
}

const day = 24 * time.Hour

func stem(path string) string {
	base := filepath.Base(path)
	return cmp.Or(strings.TrimSuffix(base, filepath.Ext(base)), base)
}

func openInput(path string) (*os.File, error) {
	if path == "-" {
		return os.Stdin, nil
	}
	return os.Open(path)
}

func createOutput(path string) (*os.File, error) {
	if path == "-" {
		return os.Stdout, nil
	}
	return os.Create(path)
}

func closers(list ...any) (out []io.Closer) {
	for _, x := range list {
		if c, ok := x.(io.Closer); ok && x != any(os.Stdin) && x != any(os.Stdout) {
			out = append(out, c)
		}
	}
	return out
}

// SetName names the device by another name than its configuration's, for whoever
// calls a capture of Ethernet otherwise than one of IP; before it is attached.
func (d *Device) SetName(name string) {
	d.info.Name = name
	if d.q != nil {
		d.q.name = name
	}
}

// Info is what the device is. Its link type is that of the first packet.
func (d *Device) Info() engine.Info { return d.info }

// Start is the time of the first packet, where a virtual clock begins; false if there is
// none.
func (d *Device) Start() (time.Time, bool) {
	if d.q == nil {
		return time.Time{}, false
	}
	return d.q.Next()
}

// Skipped counts packets that were not played: of another link type than the first, of
// none that leads to IP, or malformed. Read it when the run has ended.
func (d *Device) Skipped() int {
	if d.q == nil {
		return 0
	}
	return d.q.skipped + d.q.r.skipped
}

// Attach gives the device to an engine, which then closes it.
func (d *Device) Attach(env engine.Env) ([]engine.Queue, error) {
	if d.q == nil {
		return nil, engine.ErrClosed
	}
	if err := d.hold.Attach(env); err != nil {
		return nil, err
	}
	if env.Now == nil {
		env.Now = time.Now
	}
	d.q.env = env
	return []engine.Queue{d.q}, nil
}

// Detach takes Attach back.
func (d *Device) Detach() { d.hold.Detach(d.release) }

// Close ends the device, and what was written is in its file. In use, the engine does
// both a moment later.
func (d *Device) Close() error { return d.hold.Close(d.release) }

func (d *Device) release() error {
	if d.q == nil {
		return nil
	}
	return d.q.Close()
}

// queue is read on the worker, one packet ahead of it.
type queue struct {
	hold    *hold.Hold
	r       *reader
	env     engine.Env
	link    packet.LinkType
	name    string
	ahead   Record
	err     error     // instead of ahead
	latest  time.Time // stamp up to ahead
	maxGap  time.Duration
	skipped int
	out     *output // nil: what leaves is not kept
	closers []io.Closer
	closed  bool
}

// Next is the time of the packet that Read gives next.
func (q *queue) Next() (time.Time, bool) { return q.ahead.Time, q.err == nil }

func (q *queue) Read(ps []*packet.Packet, pool *packet.Pool) (n int, err error) {
	if q.hold.Closed() {
		return 0, io.EOF
	}
	for n < len(ps) && q.err == nil {
		if q.env.Virtual && q.ahead.Time.After(q.env.Now()) {
			return n, nil
		}
		p := pool.Get(len(q.ahead.Data))
		if q.ahead.Link != q.link || p.Set(q.ahead.Data, q.link) != nil {
			pool.Put(p)
			q.skipped++
		} else {
			p.Time = q.ahead.Time
			ps[n] = p
			n++
		}
		q.advance()
	}
	if n > 0 {
		return n, nil
	}
	return 0, q.err
}

// advance reads the next packet. One that is too far ahead is not given: time would
// pass over it in one leap, and every timer with it.
func (q *queue) advance() {
	if q.ahead, q.err = q.r.next(); q.err != nil {
		return
	}
	if q.latest.IsZero() { // the first
		if q.ahead.Time.IsZero() {
			q.ahead.Time = time.Unix(0, 0)
		}
		q.latest = q.ahead.Time
		return
	}
	if q.ahead.Time.IsZero() { // a simple packet block has no stamp: as the one before
		q.ahead.Time = q.latest
	}
	gap := q.ahead.Time.Sub(q.latest)
	q.latest = q.latest.Add(max(gap, 0))
	if q.env.Virtual && q.maxGap > 0 && gap > q.maxGap {
		e := q.r.fail(ErrGap, fmt.Errorf("%v after the one before", gap.Round(time.Second)))
		e.Fix = "if that is right, allow a longer gap"
		q.err = e
	}
}

// Write adds to the output. A disk that is full is a device that is lost.
func (q *queue) Write(ps []*packet.Packet, lost func(*packet.Packet, engine.Reason)) error {
	if q.out == nil {
		return nil
	}
	now := q.env.Now()
	for _, p := range ps {
		if p.Link() != q.link || p.Len() == 0 {
			lost(p, engine.ReasonRefused)
			continue
		}
		if err := q.out.add(&entry{device: q.name, link: q.link, time: now, dir: Outbound, data: p.Bytes()}); err != nil {
			return err
		}
	}
	return nil
}

func (q *queue) FD() int { return -1 }

func (q *queue) Close() error {
	q.hold.Release()
	if q.closed {
		return nil
	}
	q.closed = true
	var errs []error
	if q.out != nil {
		errs = append(errs, q.out.flush())
	}
	for _, c := range q.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
