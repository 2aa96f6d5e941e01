package control

import (
	"context"
	"errors"
	"time"
)

// topArgs are how often, in seconds, and how many times; 0: until told to end.
type topArgs struct {
	Every float64 `json:"every"`
	Count int     `json:"count"`
}

// Bounds of topArgs.Every.
const (
	topFastest = 100 * time.Millisecond
	topSlowest = time.Hour
)

func (s *Server) stats(none) (Snapshot, error) {
	now := snapshot(s.host.Engine.Stats())
	now.Links = links(s.host.Links)
	return s.sign(now), nil
}

// top sends a snapshot now and then, and has handlers timed meanwhile.
func (s *Server) top(ctx context.Context, args topArgs, send func(Snapshot) error) (none, error) {
	every := time.Duration(args.Every * float64(time.Second))
	if args.Every == 0 {
		every = time.Second
	}
	if every < topFastest || every > topSlowest {
		return none{}, mistake(errors.New("every is a number of seconds between 0.1 and 3600"))
	}
	defer s.host.Engine.Profile()()
	t := time.NewTicker(every)
	defer t.Stop()
	for n := 1; ; n++ {
		now, _ := s.stats(none{})
		if err := send(now); err != nil || n == args.Count {
			return none{}, err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return none{}, nil
		}
	}
}
