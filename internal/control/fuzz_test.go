package control

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
)

// Whatever comes, a server answers in lines that a client can read, or ends the
// connection; and a request that is taken means the same when it is written again.
func FuzzServe(f *testing.F) {
	for _, seed := range []string{
		`{"v":1,"do":"stats"}`, `{"v":1,"do":"top","args":{"every":0.1,"count":1}}`,
		`{"v":1,"do":"reload","args":{"script":"gate"}}`, `{"v":1,"do":"set","args":{"key":"a.b","value":"1"}}`,
		`{"v":1,"do":"capture","args":{"filter":"udp","count":1}}`, `{"v":1,"do":"stop","args":null}`,
		`{"v":2}`, `{"v":1,"do":"stats"}` + "\n" + `{"v":1`, "\x00\n\n", `{"v":1,"do":"top","args":{"every":1e308}}`,
	} {
		f.Add([]byte(seed + "\n"))
	}
	eng, err := engine.New(engine.Config{})
	if err != nil {
		f.Fatal(err)
	}
	defer eng.Close()
	s := newServer(Host{Engine: eng, Stop: func() {}})
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := parseRequest(b); err == nil {
			again, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parseRequest(again); err != nil {
				t.Errorf("%s: %v", again, err)
			}
		}
		ours, theirs := socketPair(t)
		theirs.SetDeadline(time.Now().Add(20 * time.Second))
		go func() {
			theirs.Write(b)
			theirs.CloseWrite()
		}()
		done := make(chan struct{})
		go func() { s.serve(ours); close(done) }()
		c := newClient(theirs)
		for {
			_, err := c.answer()
			if _, ok := errors.AsType[*Error](err); err != nil && !ok {
				if !errors.Is(err, ErrNotRunning) {
					t.Error(err)
				}
				break
			}
		}
		<-done
		theirs.Close()
	})
}

// socketPair is a connection to oneself.
func socketPair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := listen(dir + "/s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr))
	if err != nil {
		t.Fatal(err)
	}
	if a, err = l.AcceptUnix(); err != nil {
		t.Fatal(err)
	}
	return a, c
}
