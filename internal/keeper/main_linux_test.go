package keeper

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"golang.org/x/sys/unix"
)

// The test binary is a keeper, or a run that has one, if it is started as that.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case Verb:
			if err := Serve(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		case "a-run":
			aRun(os.Args[2])
		}
	}
	labtest.Main(m)
}

// aRun does what a run does with a keeper: all of its plan. It says the keeper's number
// and ends when its input does, or is killed.
func aRun(plan string) {
	var p Plan
	text, err := hex.DecodeString(plan)
	if err == nil {
		err = gob.NewDecoder(bytes.NewReader(text)).Decode(&p)
	}
	var k *Keeper
	if err == nil {
		k, err = Start(p)
	}
	for i := range p.Devices {
		if err == nil {
			_, err = k.Open(context.Background(), i)
		}
	}
	if err == nil {
		err = k.Lay()
	}
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println(k.cmd.Process.Pid, strings.Join(k.Notes, "; "))
	os.Stdin.Read(make([]byte, 1))
	if err := k.Close(); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// place is a network of its own with devices that were there before.
type place struct {
	t *testing.T
	n *lab.Namespace
}

func newPlace(t *testing.T) place {
	labtest.Need(t, "ip", "nft")
	return place{t, labtest.Namespace(t)}
}

// sh is what a shell says in the place.
func (p place) sh(script string) (out string) {
	p.t.Helper()
	err := p.n.Do(func() error {
		b, err := exec.Command("sh", "-c", script).CombinedOutput()
		out = string(b)
		return err
	})
	if err != nil {
		p.t.Errorf("%s: %v\n%s", script, err, out)
	}
	return out
}

// state is all that a run may leave behind.
func (p place) state() string {
	return p.sh(`ip rule; ip -6 rule; ip route show table all; nft list ruleset
		ip -o addr | sed 's/ *valid_lft.*//'; ip -o link | sed 's/state [A-Z]*//; s/NO-CARRIER,//; s/,LOWER_UP//; s/qdisc [a-z_]*//'
		cat /proc/sys/net/ipv4/conf/all/forwarding /proc/sys/net/ipv6/conf/all/forwarding`)
}

// run is a process with a keeper.
type run struct {
	cmd    *exec.Cmd
	in     interface{ Close() error }
	keeper int
	notes  string
}

// start starts one and waits until all is laid.
func (p place) start(plan Plan) run {
	p.t.Helper()
	var text bytes.Buffer
	if err := gob.NewEncoder(&text).Encode(plan); err != nil {
		p.t.Fatal(err)
	}
	r := run{cmd: exec.Command("/proc/self/exe", "a-run", hex.EncodeToString(text.Bytes()))}
	r.cmd.Stderr = os.Stderr
	in, _ := r.cmd.StdinPipe()
	out, _ := r.cmd.StdoutPipe()
	r.in = in
	if err := p.n.Do(r.cmd.Start); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		r.cmd.Process.Kill()
		r.cmd.Wait()
	})
	said := make([]byte, 4096)
	n, _ := out.Read(said)
	line := strings.TrimSpace(string(said[:n]))
	if _, err := fmt.Sscan(line, &r.keeper); err != nil {
		p.t.Fatalf("the run says %q", line)
	}
	_, r.notes, _ = strings.Cut(line, " ")
	return r
}

// becomes waits until the state is as it was, and says how long that took.
func (p place) becomes(was string) time.Duration {
	p.t.Helper()
	start := time.Now()
	for {
		now := p.state()
		if now == was {
			return time.Since(start)
		}
		if time.Since(start) > 20*time.Second {
			p.t.Fatalf("it does not become\n%s\nbut is\n%s", was, now)
		}
		time.Sleep(time.Millisecond)
	}
}

func kill(t *testing.T, pid int, sig unix.Signal) {
	t.Helper()
	if err := unix.Kill(pid, sig); err != nil {
		t.Error(err)
	}
}
