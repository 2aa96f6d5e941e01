package control

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// A Client asks the run at one socket. It is used by one goroutine. Errors of the run
// are *Error; when it ends meanwhile it is ErrNotRunning.
type Client struct {
	c *net.UnixConn
	r *bufio.Scanner
}

// Dial connects to the run whose socket is at path. It fails with ErrNotRunning where
// nobody answers.
func Dial(ctx context.Context, path string) (*Client, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w (%w): give the socket of a run that has --control", path, ErrNotRunning, reason(err))
	}
	return newClient(c.(*net.UnixConn)), nil
}

func newClient(c *net.UnixConn) *Client {
	r := bufio.NewScanner(c)
	r.Buffer(nil, maxAnswer)
	return &Client{c, r}
}

// Close ends the connection.
func (c *Client) Close() error { return c.c.Close() }

// Stats is what the run has counted.
func (c *Client) Stats(ctx context.Context) (s Snapshot, err error) {
	err = c.ask(ctx, "stats", none{}, nil, &s)
	return s, err
}

// Top has each called with what the run has counted, every so often and so many times, 0
// for no end, until ctx ends or each fails.
func (c *Client) Top(ctx context.Context, every time.Duration, count int, each func(Snapshot) error) error {
	return c.ask(ctx, "top", topArgs{every.Seconds(), count}, eachOf(each), nil)
}

// Reload reloads a script, or "" for all.
func (c *Client) Reload(ctx context.Context, script string) (r Reloaded, err error) {
	err = c.ask(ctx, "reload", reloadArgs{script}, nil, &r)
	return r, err
}

// Set gives an option a value, and reloads the script whose option it is.
func (c *Client) Set(ctx context.Context, key, value string) (r Reloaded, err error) {
	err = c.ask(ctx, "set", setArgs{key, value}, nil, &r)
	return r, err
}

// Eval runs Lua in a script, "" for the only one, on a worker, 0 for the first; and
// returns its results as text.
func (c *Client) Eval(ctx context.Context, source, script string, worker int) ([]string, error) {
	var r evaluated
	err := c.ask(ctx, "eval", evalArgs{source, script, worker}, nil, &r)
	return r.Values, err
}

// Flows has each called with the flows that filter matches, "" for all. With flush what
// scripts have decided about them natively is taken back, and flushed is how many had
// something.
func (c *Client) Flows(ctx context.Context, filter string, flush bool, each func(Flow) error) (flushed int, err error) {
	var last flushedFlows
	err = c.ask(ctx, "flows", flowsArgs{filter, flush}, eachOf(func(page flowPage) error {
		for _, f := range page.Flows {
			if err := each(f); err != nil {
				return err
			}
		}
		return nil
	}), &last)
	return last.Flushed, err
}

// Capture writes a pcapng file of the packets that filter matches, "" for all, to w,
// until ctx ends or count of them, 0 for no end, have come in.
func (c *Client) Capture(ctx context.Context, w io.Writer, filter string, count int64) (end Captured, err error) {
	err = c.ask(ctx, "capture", captureArgs{filter, count}, eachOf(func(p chunk) error {
		_, err := w.Write(p.Data)
		return err
	}), &end)
	return end, err
}

// Stop ends the run, and waits until it has ended, or ctx does.
func (c *Client) Stop(ctx context.Context) error {
	if err := c.ask(ctx, "stop", none{}, nil, nil); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { c.c.SetReadDeadline(time.Unix(1, 0)) })()
	for c.r.Scan() {
	}
	return ctx.Err()
}

// eachOf decodes a line before it is given to fn.
func eachOf[T any](fn func(T) error) func(json.RawMessage) error {
	return func(b json.RawMessage) error {
		var v T
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		return fn(v)
	}
}

// ask sends a request and reads its answer: each gets what comes before the last line,
// which is decoded into last. Either may be nil. When ctx ends before the answer has,
// the server is told, and the rest of the answer still comes.
func (c *Client) ask(ctx context.Context, do string, args any, each func(json.RawMessage) error, last any) error {
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	b, err := encode(request{V: Version, Do: do, Args: raw})
	if err != nil {
		return err
	}
	if len(b) > maxRequest {
		return mistake(fmt.Errorf("what is asked is %d bytes long, more than %d", len(b), maxRequest))
	}
	if _, err := c.c.Write(b); err != nil {
		// A server that sends a client away says why, and does not wait for a request.
		if _, refused := c.answer(); refused != nil {
			return refused
		}
		return fmt.Errorf("%w any more (%w)", ErrNotRunning, reason(err))
	}
	defer context.AfterFunc(ctx, func() {
		c.c.CloseWrite()
		c.c.SetReadDeadline(time.Now().Add(patience))
	})()
	var failed error // of each: the rest is read, and not looked at
	for {
		a, err := c.answer()
		switch {
		case err != nil:
			return cmp.Or(failed, err)
		case !a.More && last == nil:
			return failed
		case !a.More:
			return cmp.Or(failed, json.Unmarshal(a.Result, last))
		case failed == nil && each != nil:
			if failed = each(a.Result); failed != nil {
				c.c.CloseWrite()
			}
		}
	}
}

// answer is the next line.
func (c *Client) answer() (answer, error) {
	var a answer
	if !c.r.Scan() {
		err := c.r.Err()
		if err == nil {
			return a, fmt.Errorf("%w any more: it has ended", ErrNotRunning)
		}
		return a, fmt.Errorf("%w any more (%w)", ErrNotRunning, reason(err))
	}
	if err := json.Unmarshal(c.r.Bytes(), &a); err != nil {
		return a, errors.New("what answers there is no tunscript: give the socket of a run")
	}
	switch {
	case a.Error != nil:
		return a, a.Error
	case a.V != Version:
		return a, fmt.Errorf("the run speaks version %d of the protocol, and this command version %d: use the same tunscript for both", a.V, Version)
	}
	return a, nil
}
