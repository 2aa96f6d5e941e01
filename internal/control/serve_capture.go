package control

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// captureArgs are which packets, "" for all, and after how many of those that come in
// it ends, 0 for never.
type captureArgs struct {
	Filter string `json:"filter"`
	Count  int64  `json:"count"`
}

// chunk is a piece of a pcapng file.
type chunk struct {
	Data []byte `json:"data"`
}

// Captured is how a capture ended.
type Captured struct {
	Lost uint64 `json:"lost"` // packets that are missing: the reader was slow
}

// chunkSize is how much of the file goes into a line.
const chunkSize = 256 << 10

// chunks sends what is written to it, until it fails.
type chunks func(chunk) error

func (send chunks) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		part := b[:min(len(b), chunkSize)]
		if err := send(chunk{part}); err != nil {
			return n, err
		}
		n, b = n+len(part), b[len(part):]
	}
	return n, nil
}

// counted ends a capture after so many packets that came in.
type counted struct {
	engine.Observer
	most int64
	done func()
	seen atomic.Int64
}

// after is how long what leaves may follow the verdict of the last packet.
const after = 100 * time.Millisecond

// Observe may be called by several workers at once.
func (c *counted) Observe(e *engine.Event) {
	n := c.seen.Load()
	if e.Kind == engine.Received {
		n = c.seen.Add(1)
	}
	if n > c.most {
		return
	}
	c.Observer.Observe(e)
	if n == c.most && e.Kind == engine.Received {
		time.AfterFunc(after, c.done)
	}
}

// capture sends a pcapng file of what comes in, with verdicts, and what leaves.
func (s *Server) capture(ctx context.Context, args captureArgs, send func(chunk) error) (Captured, error) {
	var only *filter.Filter
	if args.Filter != "" {
		var err error
		if only, err = filter.Compile(args.Filter); err != nil {
			return Captured{}, mistake(err)
		}
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	watching := make(chan struct{}) // whoever has the head of the file misses no packet from then on
	gone := func(c chunk) error {
		<-watching
		err := send(c)
		if err != nil {
			done()
		}
		return err
	}
	w := pcapfile.NewWriter(chunks(gone), pcapfile.NG, "")
	var o engine.Observer = w
	if args.Count > 0 {
		o = &counted{Observer: w, most: args.Count, done: done}
	}
	stop := s.host.Engine.Observe(o, only)
	close(watching)
	<-ctx.Done()
	stop()
	err := w.Close()
	return Captured{Lost: w.Lost()}, err
}
