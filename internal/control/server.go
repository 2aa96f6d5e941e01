package control

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// A Server answers at one socket, until it is closed.
type Server struct {
	host    Host
	log     *slog.Logger
	l       *net.UnixListener
	started time.Time

	ctx   context.Context // of all connections
	stop  context.CancelFunc
	slots chan struct{} // one for each connection
	all   sync.WaitGroup
	mu    sync.Mutex // nothing is added to all once ctx has ended
}

// Listen makes the socket at path, mode 0600. Who connects waits until Start. It fails
// where another process answers already, and where the system refuses.
func Listen(path string, h Host) (*Server, error) {
	l, err := listen(path)
	if err != nil {
		return nil, err
	}
	s := newServer(h)
	s.l = l
	return s, nil
}

// Start has the server answer, on goroutines of its own: when the engine runs. After Close
// it does nothing.
func (s *Server) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() == nil {
		s.all.Go(s.accept)
	}
}

func newServer(h Host) *Server {
	s := &Server{host: h, log: h.Log, started: time.Now(), slots: make(chan struct{}, maxClients)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends all connections, takes the socket away, and waits until nothing of the
// server is left. Idempotent.
func (s *Server) Close() error {
	err := s.l.Close() // first: who sees that its connection has ended finds no socket
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.all.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Server) accept() {
	for {
		c, err := s.l.AcceptUnix()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of descriptors, say: it passes
			s.log.Warn("control socket", "error", err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-s.ctx.Done():
			}
			continue
		}
		s.all.Go(func() { s.serve(c) })
	}
}

// serve is one connection.
func (s *Server) serve(c *net.UnixConn) {
	defer c.Close()
	conn := newConn(c)
	if err := admit(c); err != nil {
		s.log.Warn("control socket", "error", err)
		conn.fail(err)
		return
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		conn.fail(mistake(errors.New("too many connections: end one of them, such as a top or a capture")))
		return
	}
	// What waits for the client ends with the server; what it is told has a moment left.
	defer context.AfterFunc(s.ctx, func() {
		c.CloseRead()
		time.AfterFunc(farewell, func() { c.Close() })
	})()
	for s.ctx.Err() == nil {
		r, err := conn.read()
		if err != nil {
			if _, ok := errors.AsType[*Error](err); ok {
				conn.fail(err)
			}
			return
		}
		if err := s.answer(conn, r); err != nil {
			return
		}
	}
}

// answer does what is asked. An error is the connection's.
func (s *Server) answer(c *conn, r request) error {
	v, ok := verbs[r.Do]
	if !ok {
		return c.fail(mistake(unknownVerb(r.Do)))
	}
	return v(s, c, r.Args)
}

// sign says whose numbers these are.
func (s *Server) sign(n Snapshot) Snapshot {
	n.PID, n.Started = os.Getpid(), s.started
	return n
}
