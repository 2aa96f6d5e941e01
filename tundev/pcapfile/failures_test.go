package pcapfile_test

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/pcapfile"
	"go.uber.org/goleak"
)

// detailed is an error with a traceback.
type detailed struct{ error }

func (d detailed) Detail() string { return d.Error() + "\n    gate.lua:3: in function 'look'" }

// A clumsy handler changes a packet and then fails: for each line of errors one packet,
// a second apart.
func clumsy(t testing.TB, o engine.Observer, lines ...string) {
	at := noon
	for _, line := range lines {
		p := mustParse(t, ping4(), packet.IP)
		tell := func(e engine.Event) {
			e.Time, e.Worker, e.Device, e.Packet = at, 1, "tun0", p
			o.Observe(&e)
		}
		tell(engine.Event{Kind: engine.Received})
		if line != "" {
			p.Bytes()[8] = 1 // the handler has got as far as this
			err := detailed{errors.New(line)}
			tell(engine.Event{Kind: engine.Failed, Program: "gate", Handler: "gate:3", Reason: line, Err: err})
		}
		tell(engine.Event{Kind: engine.Dropped, Reason: "error"})
		at = at.Add(time.Second)
	}
}

// readBack is the file as our reader has it.
func readBack(t *testing.T, path string) (data [][]byte, comments []string) {
	t.Helper()
	r, err := pcapfile.OpenReader(path, pcapfile.Select{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return data, comments
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Device != "tun0" || rec.Dir != pcapfile.Inbound {
			t.Errorf("a packet of %q, %v", rec.Device, rec.Dir)
		}
		data, comments = append(data, bytes.Clone(rec.Data)), append(comments, rec.Comment())
	}
}

// A packet is kept as it came in, with the traceback; the same error again is counted.
func TestPacketsWhoseHandlerFailed(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "errors.pcapng")
	f, err := pcapfile.CreateFailures(path)
	if err != nil {
		t.Fatal(err)
	}
	clumsy(t, f, "", "index nil", "index nil", "", "too slow", "index nil")
	f.Observe(&engine.Event{Kind: engine.Failed, Worker: 1, Time: noon, Program: "gate", Reason: "a timer"}) // no packet
	if err := errors.Join(f.Close(), f.Close()); err != nil || f.Lost() != 0 {
		t.Fatal(err, f.Lost())
	}
	data, comments := readBack(t, path)
	want := []string{
		"error: index nil (gate, gate:3)\nindex nil\n    gate.lua:3: in function 'look'",
		"error: too slow (gate, gate:3)\ntoo slow\n    gate.lua:3: in function 'look'",
		"error: index nil (gate, gate:3)\nthe same error 2 times more since 2026-01-02T12:00:00Z",
	}
	if len(comments) != len(want) {
		t.Fatalf("%d packets, want %d: %q", len(comments), len(want), comments)
	}
	for i, c := range comments {
		if c != want[i] {
			t.Errorf("packet %d says\n%s\nwant\n%s", i+1, c, want[i])
		}
		if !bytes.Equal(data[i], ping4()) {
			t.Errorf("packet %d is %x, want it as it came in, %x", i+1, data[i], ping4())
		}
	}
	labtest.Need(t, "tshark")
	out, err := exec.Command("tshark", "-n", "-r", path, "-V").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, say := range []string{"gate.lua:3: in function 'look'", "the same error 2 times more"} {
		if !strings.Contains(string(out), say) {
			t.Errorf("tshark does not show %q:\n%s", say, out)
		}
	}
}

// What goes on for hours is a packet a minute, and not one that each time differs more
// than a hundred.
func TestFailuresThatGoOn(t *testing.T) {
	count := func(lines []string) (packets int, lost uint64) {
		path := filepath.Join(t.TempDir(), "errors.pcapng")
		f, err := pcapfile.CreateFailures(path)
		if err != nil {
			t.Fatal(err)
		}
		clumsy(t, f, lines...)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		_, comments := readBack(t, path)
		return len(comments), f.Lost()
	}
	same := make([]string, 3600) // of an hour
	for i := range same {
		same[i] = "index nil"
	}
	if n, lost := count(same); n != 61 || lost != 0 {
		t.Errorf("of one error for an hour %d packets, %d lost, want 61 and 0", n, lost)
	}
	fast := make([]string, 0, 6000)
	for i := range 6000 {
		fast = append(fast, "error "+strconv.Itoa(i))
	}
	at := noon
	var b bytes.Buffer
	f := pcapfile.NewFailures(&b)
	for _, line := range fast { // all of them in one minute
		p := mustParse(t, ping4(), packet.IP)
		f.Observe(&engine.Event{Kind: engine.Failed, Time: at, Worker: 1, Device: "tun0", Packet: p, Reason: line})
		at = at.Add(9 * time.Millisecond)
	}
	if err := f.Close(); err != nil || f.Lost() != 5900 {
		t.Errorf("%d were lost, want 5900 (%v)", f.Lost(), err)
	}
	if b.Len() > 100*300 {
		t.Errorf("the file has %d bytes", b.Len())
	}
}
