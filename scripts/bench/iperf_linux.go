package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// iperf sends TCP from this namespace to the other one, through the program.
func (w *world) iperf(ctx context.Context, proc *process, rewrite bool, d time.Duration) (s sample, err error) {
	server, err := launch([]string{"iperf3", "-s", "-1"}, w.all, w.behind)
	if err != nil {
		return s, err
	}
	defer server.stop()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if ok, err := w.behind.Listening(); ok && err == nil {
			break
		}
		if time.Now().After(end) || ctx.Err() != nil || server.alive() != nil {
			return s, errors.New("iperf3 does not listen")
		}
	}
	to, port := peerAddr.Addr(), "5201"
	if rewrite {
		to, port = mapped, "5209"
	}
	argv := []string{"iperf3", "-J", "-c", to.String(), "-p", port}
	if d < time.Second {
		argv = append(argv, "-n", "4M") // it counts time in whole seconds
	} else {
		argv = append(argv, "-t", strconv.Itoa(int(d.Round(time.Second).Seconds())))
	}
	before, err := proc.usage()
	if err != nil {
		return s, err
	}
	client, err := launch(argv, w.all, nil)
	if err != nil {
		return s, err
	}
	if err := client.finish(ctx, d+10*time.Second); err != nil {
		return s, err
	}
	after, err := proc.usage()
	if err != nil {
		return s, err
	}
	var r struct {
		End struct {
			Received struct {
				Bytes float64 `json:"bytes"`
				Rate  float64 `json:"bits_per_second"`
			} `json:"sum_received"`
		} `json:"end"`
	}
	if err := json.Unmarshal([]byte(client.out.String()), &r); err != nil {
		return s, fmt.Errorf("iperf3: %w", err)
	}
	if r.End.Received.Bytes == 0 {
		return s, errors.New("iperf3: nothing arrived")
	}
	return sample{
		value: r.End.Received.Rate,
		cpu:   (after.cpu - before.cpu).Seconds() / r.End.Received.Bytes,
		user:  after.userSince(before), rss: after.rss,
	}, nil
}
