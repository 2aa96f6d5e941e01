package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// each is between two pings: long enough that a program has gone to sleep.
const each = 100 * time.Millisecond

var rtt = regexp.MustCompile(`time=([0-9.]+) ms`)

// ping sends pings for d, three at least, and takes the median round trip.
func (w *world) ping(ctx context.Context, d time.Duration) (s sample, err error) {
	count := max(int(d/each), 3)
	argv := []string{"ping", "-n", "-i", "0.1", "-W", "1", "-c", strconv.Itoa(count), peerAddr.Addr().String()}
	p, err := launch(argv, w.other, nil)
	if err != nil {
		return s, err
	}
	if err := p.finish(ctx, d+5*time.Second); err != nil {
		return s, err
	}
	var times []float64
	for _, m := range rtt.FindAllStringSubmatch(p.out.String(), -1) {
		ms, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return s, err
		}
		times = append(times, ms/1000)
	}
	if len(times) == 0 {
		return s, errors.New("no ping was answered")
	}
	slices.Sort(times)
	return sample{value: times[len(times)/2]}, nil
}

// finish waits for a process that ends by itself.
func (p *process) finish(ctx context.Context, limit time.Duration) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.stop()
		return ctx.Err()
	case <-time.After(limit):
		p.stop()
		return fmt.Errorf("%s did not end in %v", p.cmd.Path, limit)
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w: %s", p.cmd.Path, p.err, p.out.String())
	}
	return nil
}
