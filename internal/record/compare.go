package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// A Comparison looks at what a second run sends, and ends it at the first packet that is
// not the recording's. It is an engine.Observer of an engine with one worker.
type Comparison struct {
	stop     func()
	expected map[string]*expected
	err      error
	same     int
}

// expected is what the recording says a device sends.
type expected struct {
	r     *pcapfile.Reader
	count int
	total int
}

// Compare is an observer that calls stop at the first difference.
func (r *Recording) Compare(stop func()) (*Comparison, error) {
	c := &Comparison{stop: stop, expected: map[string]*expected{}}
	for _, d := range r.note.Devices {
		f, err := pcapfile.OpenReader(r.path, pcapfile.Select{Device: d.Name, Dir: pcapfile.Outbound})
		if err != nil {
			c.Close()
			return nil, err
		}
		c.expected[d.Name] = &expected{r: f, total: r.sent[d.Name]}
	}
	return c, nil
}

// Observe compares what is sent.
func (c *Comparison) Observe(e *engine.Event) {
	if e.Kind != engine.Sent || c.err != nil {
		return
	}
	if c.err = c.next(e); c.err != nil {
		c.stop()
		return
	}
	c.same++
}

func (c *Comparison) next(e *engine.Event) error {
	x := c.expected[e.Device]
	if x == nil {
		return fmt.Errorf("a packet leaves by %s, which the recording does not have", e.Device)
	}
	x.count++
	d := &Difference{Device: e.Device, Count: x.count, Time: e.Time, Got: e.Packet.String()}
	was, err := x.r.Next()
	switch {
	case errors.Is(err, io.EOF):
		return d
	case err != nil:
		return err
	}
	now := e.Packet.Append(nil)
	if was.Link == e.Packet.Link() && bytes.Equal(was.Data, now) {
		return nil
	}
	p, err := packet.Parse(was.Data, was.Link)
	if err != nil {
		return err
	}
	d.Was, d.Fields = p.String(), fields(p, e.Packet)
	return d
}

// Err is the first difference, a *Difference; also that the run has ended and sent less
// than the recording. nil if all was the same.
func (c *Comparison) Err() error {
	if c.err != nil {
		return c.err
	}
	for device, x := range c.expected {
		if was, err := x.r.Next(); err == nil {
			d := &Difference{Device: device, Count: x.count + 1, Time: was.Time, Missing: x.total - x.count}
			if p, err := packet.Parse(was.Data, was.Link); err == nil {
				d.Was = p.String()
			}
			return d
		}
	}
	return nil
}

// Same is how many packets were the same.
func (c *Comparison) Same() int { return c.same }

// Close closes the recording.
func (c *Comparison) Close() error {
	var errs []error
	for _, x := range c.expected {
		errs = append(errs, x.r.Close())
	}
	return errors.Join(errs...)
}

// A Difference is the first packet that a second run sends otherwise.
type Difference struct {
	Device  string
	Count   int       // of the packets that leave by it, from 1
	Time    time.Time // virtual
	Got     string    // the packet in a line, "" for none
	Was     string    // that of the recording, "" for none
	Fields  []Field   // that differ
	Missing int       // packets, from this one on, that were not sent
}

// Field is one that differs.
type Field struct{ Name, Was, Got string }

func (d *Difference) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "packet %d out of %s ", d.Count, d.Device)
	switch {
	case d.Got == "":
		fmt.Fprintf(&b, "is not sent, nor are %d after it\n  was  %s", d.Missing-1, d.Was)
	case d.Was == "":
		fmt.Fprintf(&b, "is not in the recording\n  now  %s", d.Got)
	default:
		b.WriteString("differs")
		for i, f := range d.Fields {
			if i == maxFields {
				fmt.Fprintf(&b, "\n  and %d more", len(d.Fields)-i)
				break
			}
			fmt.Fprintf(&b, "\n  %s is %s, was %s", f.Name, f.Got, f.Was)
		}
		fmt.Fprintf(&b, "\n  was  %s\n  now  %s", d.Was, d.Got)
	}
	return b.String()
}

// maxFields is how many differing fields a message names.
const maxFields = 8
