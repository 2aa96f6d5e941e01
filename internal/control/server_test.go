package control

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// eventually asks until yes, for as long as a busy machine may take.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !yes(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("never: " + what)
		}
	}
}

// Three datagrams and what became of them.
func TestStats(t *testing.T) {
	r := newRig(t, echo)
	c := r.dial()
	for _, port := range []uint16{7, 7, 9} {
		r.udp(port)
	}
	var s Snapshot
	eventually(t, "three packets", func() bool {
		var err error
		if s, err = c.Stats(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s.Devices[0].Received == 3 && s.Errors["gate"] == 1
	})
	if s.PID != os.Getpid() || s.Started.IsZero() || s.Devices[0].Name != "tun0" {
		t.Errorf("%+v", s)
	}
	if s.Verdicts["drop"] != 3 || s.Reasons["seen"] != 2 || s.Reasons["error"] != 1 {
		t.Errorf("verdicts %v, reasons %v", s.Verdicts, s.Reasons)
	}
	if len(s.Handlers) != 2 {
		t.Fatalf("handlers %+v", s.Handlers)
	}
	if h := s.Handlers[0]; h.Script != "gate" || h.Name != "gate.lua:3" || h.Filter != "udp port 7" || h.Calls != 2 || h.Errors != 0 {
		t.Errorf("%+v", h)
	}
	if h := s.Handlers[1]; h.Name != "fails" || h.Calls != 1 || h.Errors != 1 {
		t.Errorf("%+v", h)
	}
}

// A top ends after as many lines as it was asked for, or when the other side has had
// enough; and the connection can be used again.
func TestTop(t *testing.T) {
	r := newRig(t, echo)
	c := r.dial()
	n := 0
	each := func(Snapshot) error { n++; return nil }
	if err := c.Top(t.Context(), topFastest, 3, each); err != nil || n != 3 {
		t.Errorf("%d lines, %v", n, err)
	}
	if _, err := c.Stats(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n = 0
	if err := c.Top(ctx, topFastest, 0, func(Snapshot) error { n++; cancel(); return nil }); err != nil || n == 0 {
		t.Errorf("told to end: %d lines, %v", n, err)
	}
	if err := r.dial().Top(t.Context(), time.Nanosecond, 1, each); err == nil || !strings.Contains(err.Error(), "between") {
		t.Error(err)
	}
}

// The socket is its user's alone from the moment it is there; it goes with the server.
func TestSocket(t *testing.T) {
	r := newRig(t, echo)
	info, err := os.Stat(r.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := Listen(r.path, r.host); err == nil || !strings.Contains(err.Error(), "another process answers") {
		t.Errorf("a second one: %v", err)
	}
	if err := errors.Join(r.server.Close(), r.server.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(r.path); !os.IsNotExist(err) {
		t.Error("the socket stays")
	}
	if _, err := Dial(t.Context(), r.path); !errors.Is(err, ErrNotRunning) {
		t.Error(err)
	}
}

// What a killed process left is taken over; a file that is none of ours is not.
func TestStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ctl")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if l, err = listen(path); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(path); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Error(err)
	}
}

func TestAllowed(t *testing.T) {
	for _, tt := range []struct {
		uid, self int
		want      bool
	}{{1000, 1000, true}, {0, 1000, true}, {1000, 0, false}, {1001, 1000, false}} {
		if err := allowed(tt.uid, tt.self); (err == nil) != tt.want {
			t.Errorf("user %d at a socket of %d: %v", tt.uid, tt.self, err)
		}
	}
}

// What is no request is answered with what is wrong, where an answer can be given, and
// is the end of its own connection alone.
func TestHostile(t *testing.T) {
	r := newRig(t, echo)
	stays := r.dial()
	for _, tt := range []struct{ name, send, want string }{
		{"nothing", "", ""},
		{"no JSON", "GET / HTTP/1.1\r\n", "this is no request"},
		{"half a request", `{"v":1,"do":"st`, "wants a newline"},
		{"binary", "\x00\xff\x00\n", "this is no request"},
		{"a list", "[1]\n", "this is no request"},
		{"two on a line", `{"v":1,"do":"stats"}{}` + "\n", "something follows"},
		{"another version", `{"v":2,"do":"stats"}` + "\n", "version 2"},
		{"no version", `{"do":"stats"}` + "\n", "version 0"},
		{"an unknown key", `{"v":1,"do":"stats","to":1}` + "\n", `unknown field \"to\"`},
		{"an endless line", strings.Repeat("a", maxRequest+1), "at most 65536 bytes"},
		{"deep", `{"v":1,"do":"stats","args":` + strings.Repeat("[", maxRequest/2) + "\n", "this is no request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("unix", r.path)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(20 * time.Second))
			c.Write([]byte(tt.send)) // may be refused in the middle
			c.(*net.UnixConn).CloseWrite()
			var got bytes.Buffer
			got.ReadFrom(c)
			if tt.want == "" && got.Len() > 0 || !strings.Contains(got.String(), tt.want) {
				t.Errorf("%q, want %q", got.String(), tt.want)
			}
		})
	}
	if _, err := stays.Stats(t.Context()); err != nil {
		t.Errorf("beside them: %v", err)
	}
}

// A mistake in a request that is one leaves the connection open.
func TestMistakes(t *testing.T) {
	r := newRig(t, echo)
	c := r.dial()
	for _, tt := range []struct {
		do   string
		args any
		want string
	}{
		{"stat", none{}, `did you mean "stats"?`},
		{"zebra", none{}, "there is capture, "},
		{"top", map[string]int{"evry": 1}, `unknown field "evry"`},
		{"capture", captureArgs{Filter: "udp prot 7"}, "filter: "},
		{"reload", reloadArgs{"gat"}, `there is no script "gat"; there is gate`},
	} {
		var re Reloaded
		err := c.ask(t.Context(), tt.do, tt.args, nil, &re)
		if err == nil && len(re.Failed) == 1 {
			err = re.Failed[0]
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != KindUsage || !strings.Contains(e.Text, tt.want) {
			t.Errorf("%s: %v, want %q", tt.do, err, tt.want)
		}
	}
}

// One more than there may be is told so, and when one goes there is room again.
func TestTooMany(t *testing.T) {
	r := newRig(t, echo)
	var all []*Client
	for range maxClients {
		c := r.dial()
		if _, err := c.Stats(t.Context()); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	if _, err := r.dial().Stats(t.Context()); err == nil || !strings.Contains(err.Error(), "too many connections") {
		t.Error(err)
	}
	all[0].Close()
	eventually(t, "room again", func() bool {
		_, err := r.dial().Stats(t.Context())
		return err == nil
	})
}

// Whoever hangs on to a stream does not keep the run from ending.
func TestCloseEndsStreams(t *testing.T) {
	r := newRig(t, echo)
	begun := make(chan struct{})
	ended := make(chan error, 1)
	c := r.dial()
	go func() {
		n := 0
		ended <- c.Top(context.Background(), topFastest, 0, func(Snapshot) error {
			if n++; n == 1 {
				close(begun)
			}
			return nil
		})
	}()
	<-begun
	mute := r.dial() // asks for a file and never reads it
	b, _ := encode(request{V: Version, Do: "capture"})
	mute.c.Write(b)
	if err := r.server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the last line is missing: %v", err)
	}
}

func TestStop(t *testing.T) {
	r := newRig(t, echo)
	stopped := make(chan struct{})
	r.server.host.Stop = func() { close(stopped) }
	go func() {
		<-stopped
		r.server.Close()
	}()
	if err := r.dial().Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(r.path); !os.IsNotExist(err) {
		t.Error("it returns before the run has ended")
	}
}
