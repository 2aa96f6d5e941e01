package pcapfile

import "io"

// output writes packets as they come, on the caller's goroutine, and loses none.
type output struct {
	w     io.Writer
	e     *encoder
	buf   []byte
	begun bool
}

const outputBuffer = 1 << 16

func (o *output) add(p *entry) error {
	o.begin()
	o.buf, _ = o.e.packet(o.buf, p)
	if len(o.buf) < outputBuffer {
		return nil
	}
	return o.flush()
}

// begin makes the file one, also if no packet follows.
func (o *output) begin() {
	if !o.begun {
		o.begun = true
		o.buf = o.e.header(o.buf)
	}
}

func (o *output) flush() error {
	o.begin()
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	return err
}
