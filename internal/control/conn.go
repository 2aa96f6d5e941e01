package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	idle     = 10 * time.Minute // between two requests
	patience = 10 * time.Second // for a line to be taken
	farewell = time.Second      // the same, once the run has ended
)

// A conn is the server's side of one connection, used by one goroutine.
type conn struct {
	c *net.UnixConn
	r *bufio.Reader
	// patient has lines wait for the client as long as it takes: of a capture, whose
	// reader may stop for a while.
	patient bool
}

func newConn(c *net.UnixConn) *conn { return &conn{c: c, r: bufio.NewReaderSize(c, maxRequest)} }

// read is the next request. Errors that the other side is to know are *Error.
func (c *conn) read() (request, error) {
	c.c.SetReadDeadline(time.Now().Add(idle))
	line, err := c.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return request{}, mistake(fmt.Errorf("a request is at most %d bytes long", maxRequest))
	case errors.Is(err, io.EOF) && len(line) > 0:
		return request{}, mistake(errors.New("the request ends in the middle: it wants a newline behind it"))
	case err != nil:
		return request{}, err
	}
	return parseRequest(line)
}

// write sends one line.
func (c *conn) write(a answer) error {
	a.V = Version
	b, err := encode(a)
	if err != nil {
		return err
	}
	var until time.Time
	if !c.patient {
		until = time.Now().Add(patience)
	}
	c.c.SetWriteDeadline(until)
	_, err = c.c.Write(b)
	return err
}

// result sends v, the last line of an answer if not more.
func (c *conn) result(v any, more bool) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.write(answer{Result: b, More: more})
}

// fail sends err as the last line of an answer.
func (c *conn) fail(err error) error { return c.write(answer{Error: wireError(err)}) }

// watched is ctx until the other side sends something or closes its side. release must
// be called before the next read.
func (c *conn) watched(ctx context.Context) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancel(ctx)
	c.c.SetReadDeadline(time.Time{})
	var ended sync.WaitGroup
	ended.Go(func() {
		c.r.Peek(1)
		cancel()
	})
	return ctx, func() {
		cancel()
		c.c.SetReadDeadline(time.Unix(1, 0))
		ended.Wait()
	}
}
