package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/internal/dump"
	"github.com/tunscript/tunscript/internal/record"
	"github.com/tunscript/tunscript/tundev/link"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// A session is an engine with what watches it.
type session struct {
	eng   *engine.Engine
	links []*link.Device // those of its devices that are tunnels
	log   *slog.Logger
	ready chan struct{} // closed when the programs have started
	stop  context.CancelFunc
	ctx   context.Context
	close []func() error
}

// newSession makes the engine of c, which takes the devices over. With an error
// they are the caller's.
func newSession(ctx context.Context, c engine.Config, f watchFlags, out io.Writer) (*session, error) {
	s := &session{log: c.Log, ready: make(chan struct{})}
	s.ctx, s.stop = context.WithCancel(ctx)
	c.Wait = engine.Prompt
	var left atomic.Int64 // workers that have not started
	left.Store(int64(max(1, c.Workers)))
	c.Programs = append(c.Programs, engine.ProgramConfig{Program: engine.ProgramFunc("ready", func(sc *engine.Scope) error {
		sc.Started(func() {
			if left.Add(-1) == 0 {
				close(s.ready)
			}
		})
		return nil
	})})
	// Whoever watches is there before the first packet, and closed after the last.
	if f.record != "" && c.Seed == 0 {
		c.Seed = rand.Uint64() | 1
	}
	watch, err := s.watchers(f, record.NoteOf(c, time.Now()), out)
	if err != nil {
		s.end()
		return nil, err
	}
	if s.eng, err = engine.New(c); err != nil {
		s.end()
		return nil, err
	}
	for _, dc := range c.Devices {
		if l, ok := dc.Device.(*link.Device); ok {
			s.links = append(s.links, l)
		}
	}
	for _, w := range watch {
		s.eng.Observe(w.Observer, w.filter)
	}
	return s, nil
}

type watcher struct {
	engine.Observer
	filter *filter.Filter
}

func (s *session) watchers(f watchFlags, note record.Note, out io.Writer) (found []watcher, err error) {
	for _, o := range f.also {
		found = append(found, watcher{o, nil})
	}
	if f.dump != "" {
		var only *filter.Filter
		if f.dump != all {
			if only, err = filter.Compile(f.dump); err != nil {
				return nil, &usageError{"", fmt.Errorf("--dump: %w", err)}
			}
		}
		d := dump.New(out, dump.Options{Hex: f.hex, Count: f.count, Done: s.stop})
		s.close = append(s.close, func() error { d.Close(); return nil })
		found = append(found, watcher{d, only})
	}
	if f.pcap != "" {
		if f.pcap == "-" && f.dump != "" {
			return nil, &usageError{"", errors.New("--dump and --pcap - both want stdout: give --pcap a file")}
		}
		w, err := s.capture(f.pcap, "")
		if err != nil {
			return nil, err
		}
		found = append(found, watcher{w, nil})
	}
	if f.errors != "" {
		w, err := s.failuresTo(f.errors)
		if err != nil {
			return nil, err
		}
		found = append(found, watcher{w, nil})
	}
	if f.record != "" {
		w, err := s.capture(f.record, note.String())
		if err != nil {
			return nil, err
		}
		found = append(found, watcher{w, nil})
	}
	return found, nil
}

// capture is a file that is written until the session ends.
func (s *session) capture(path, note string) (*pcapfile.Writer, error) {
	w, err := pcapfile.Create(path, note)
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, func() error {
		err := w.Close()
		if n := w.Lost(); n > 0 {
			s.log.Warn("packets are missing in "+path+": the disk was too slow", "packets", n)
		}
		return err
	})
	return w, nil
}

// failuresTo is a file of packets whose handler failed, written until the session ends.
func (s *session) failuresTo(path string) (*pcapfile.Failures, error) {
	w, err := pcapfile.CreateFailures(path)
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, func() error {
		err := w.Close()
		if n := w.Lost(); n > 0 {
			s.log.Warn("failures are missing in "+path+": they were too many", "failures", n)
		}
		return err
	})
	return w, nil
}

// run runs the engine to its end, and then ends what watches it.
func (s *session) run() error {
	err := s.eng.Run(s.ctx)
	return errors.Join(err, s.end())
}

func (s *session) end() error {
	s.stop()
	var errs []error
	for _, fn := range s.close {
		errs = append(errs, fn())
	}
	s.close = nil
	return errors.Join(errs...)
}

// failures is how often handlers, timers and tasks have failed.
func (s *session) failures() (n uint64) {
	for _, c := range s.eng.Stats().Errors {
		n += c
	}
	return n
}

// summary is one line about what went through.
func (s *session) summary() string {
	st := s.eng.Stats()
	var in, out uint64
	for _, d := range st.Devices {
		in, out = in+d.Received, out+d.Sent
	}
	line := fmt.Sprintf("%d packets in, %d out", in, out)
	if n := st.Verdicts["drop"]; n > 0 {
		line += fmt.Sprintf(", %d dropped", n)
	}
	if n := s.failures(); n > 0 {
		line += fmt.Sprintf(", %d errors", n)
	}
	return line
}
