package record

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// A Recording is a file to be run again.
type Recording struct {
	path string
	note Note
	end  time.Time // its last stamp
	sent map[string]int
}

// Open reads a recording once, from end to end. It fails with ErrNoNote, a
// *pcapfile.Error, or the system's error.
func Open(path string) (*Recording, error) {
	f, err := pcapfile.OpenReader(path, pcapfile.Select{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := &Recording{path: path, sent: map[string]int{}}
	if r.note, err = parseNote(f.Note()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for {
		p, err := f.Next()
		switch {
		case errors.Is(err, io.EOF):
			return r, nil
		case err != nil:
			return nil, err
		}
		if p.Time.After(r.end) {
			r.end = p.Time
		}
		if p.Dir == pcapfile.Outbound {
			r.sent[p.Device]++
		}
	}
}

// Seed is the seed of the run.
func (r *Recording) Seed() uint64 { return r.note.Seed }

// Clock is virtual, and begins when the run did.
func (r *Recording) Clock() engine.Clock {
	return engine.Virtual(r.note.Start).Linger(max(r.end.Sub(r.note.Start), 0) + time.Minute)
}

// Devices opens devices like those of the run, on which what came in comes in again. If
// there is no error they are the caller's to close, or an engine's.
func (r *Recording) Devices(maxGap time.Duration) (all []engine.DeviceConfig, err error) {
	for _, d := range r.note.Devices {
		c := pcapfile.Config{
			Name: d.Name, MTU: d.MTU, Address: d.Address, Peer: d.Peer,
			Path: r.path, MaxGap: maxGap, Select: pcapfile.Select{Device: d.Name, Dir: pcapfile.Inbound},
		}
		if d.MAC != "" {
			c.Link = packet.Ethernet
			c.MAC, err = packet.ParseMAC(d.MAC)
			if err == nil {
				c.PeerMAC, err = packet.ParseMAC(d.PeerMAC)
			}
		}
		var dev *pcapfile.Device
		if err == nil {
			dev, err = pcapfile.Open(c)
		}
		if err != nil {
			for _, d := range all {
				d.Device.Close()
			}
			return nil, err
		}
		all = append(all, engine.DeviceConfig{Device: dev, Forward: d.Forward})
	}
	return all, nil
}

// Program ends the run where the recording ends. Without it the timers that the first
// run was stopped in front of would go on, or those behind its last packet not come.
func (r *Recording) Program() engine.Program {
	return engine.ProgramFunc("recording", func(s *engine.Scope) error {
		s.Started(func() {
			s.AfterLast(r.end.Sub(s.Now()), func() { s.Stop(0) })
		})
		return nil
	})
}
