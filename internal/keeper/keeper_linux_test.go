package keeper

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/tundev"
	"golang.org/x/sys/unix"
)

func device(name, addr string) tundev.Config {
	return tundev.Config{Name: name, Manage: true, Address: []netip.Prefix{
		netip.MustParsePrefix(addr + "/32"), netip.MustParsePrefix("2001:db8::" + addr[len(addr)-1:] + "/128"),
	}}
}

// everything is a plan with one of each: a device that was there and is managed, one that
// is made, a loop through them, and masquerading.
func everything(p place) Plan {
	p.sh("ip tuntap add tun0 mode tun && ip link set tun0 addrgenmode none && ip link set tun0 mtu 1300")
	first := device("tun0", "192.0.2.1")
	first.MTU = 1400
	return Plan{Devices: []tundev.Config{first, device("tun%d", "192.0.2.2")}, Loop: []int{0, 1}, Masquerade: true}
}

func TestWhatARunChangesIsUndone(t *testing.T) {
	for _, end := range []struct {
		name string
		how  func(r run)
	}{
		{"at its end", func(r run) { r.in.Close(); r.cmd.Wait() }},
		{"when it is killed", func(r run) { r.cmd.Process.Kill(); r.cmd.Wait() }},
		{"when all are told to end, as a terminal or a service manager does", func(r run) {
			for _, sig := range []unix.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
				kill(t, r.keeper, sig)
			}
			r.cmd.Process.Kill()
			r.cmd.Wait()
		}},
	} {
		t.Run(end.name, func(t *testing.T) {
			dir := runtimeDirectory(t)
			p := newPlace(t)
			plan := everything(p)
			was := p.state()
			r := p.start(plan)
			now := p.state()
			for _, want := range []string{"mtu 1400", "192.0.2.1", "iif lo lookup", "2001:db8::2", "masquerade", "1\n1\n"} {
				if !strings.Contains(now, want) {
					t.Errorf("laid, it does not say %q:\n%s", want, now)
				}
			}
			if journals, _ := os.ReadDir(dir); len(journals) != 1 {
				t.Errorf("the folder of journals has %v", journals)
			}
			end.how(r)
			// Looking takes a while, too. A second is what is promised; a machine that
			// is busy with other things gets more.
			if took := p.becomes(was); took > 5*time.Second {
				t.Errorf("undone after %s", took)
			} else {
				t.Logf("undone %s after the end", took)
			}
			for i := 0; ; i++ {
				journals, _ := os.ReadDir(dir)
				if len(journals) == 0 {
					break
				}
				if i > 2000 {
					t.Fatalf("left in the folder: %v", journals)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
}

// Killed together, they leave the journal. The doctor undoes it, or the next keeper does.
func TestWhatIsLeftWhenBothAreKilled(t *testing.T) {
	for _, who := range []string{"the doctor", "the next keeper"} {
		t.Run(who, func(t *testing.T) {
			runtimeDirectory(t)
			p := newPlace(t)
			plan := everything(p)
			was := p.state()
			r := p.start(plan)
			kill(t, r.keeper, unix.SIGKILL)
			r.cmd.Process.Kill()
			r.cmd.Wait()
			if who == "the doctor" {
				// The keeper may still be dying, and hold its lock.
				err := p.n.Do(func() error {
					for end := time.Now().Add(10 * time.Second); ; {
						list, err := Leftovers()
						if err != nil || len(list) == 1 {
							if err == nil {
								t.Log(list[0])
								err = list[0].Undo()
							}
							return err
						}
						if time.Now().After(end) {
							return fmt.Errorf("found %v", list)
						}
						time.Sleep(time.Millisecond)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			} else {
				for unix.Kill(r.keeper, 0) == nil && !zombie(r.keeper) {
					time.Sleep(time.Millisecond)
				}
				next := p.start(Plan{})
				if !strings.Contains(next.notes, "undid what a run has left") {
					t.Errorf("the next keeper says %q", next.notes)
				}
				next.in.Close()
				next.cmd.Wait()
			}
			p.becomes(was)
		})
	}
}

// zombie says that a process has ended, and nobody has asked how.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

func TestTwoRunsThatForward(t *testing.T) {
	runtimeDirectory(t)
	p := newPlace(t)
	was := p.state()
	forwards := func() string { return p.sh("cat /proc/sys/net/ipv4/conf/all/forwarding") }
	a := p.start(Plan{Devices: []tundev.Config{device("tun5", "192.0.2.5")}, Masquerade: true})
	b := p.start(Plan{Devices: []tundev.Config{device("tun6", "192.0.2.6")}, Masquerade: true})
	a.in.Close()
	a.cmd.Wait()
	if forwards() != "1\n" || !strings.Contains(p.state(), `iifname "tun6"`) || strings.Contains(p.state(), `iifname "tun5"`) {
		t.Errorf("the second one is left with\n%s", p.state())
	}
	b.in.Close()
	b.cmd.Wait()
	p.becomes(was)
}

// What a keeper does is in its plan; nothing can be added later, and nothing else asked for.
func TestAKeeperIsAskedForNothingElse(t *testing.T) {
	runtimeDirectory(t)
	p := newPlace(t)
	var k *Keeper
	if err := p.n.Do(func() (err error) {
		k, err = Start(Plan{Devices: []tundev.Config{device("tun7", "192.0.2.7")}})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for name, r := range map[string]request{
		"a device that is not in it": {Ask: askOpen, Device: 1},
		"a number below all":         {Ask: askOpen, Device: -1},
		"another plan":               {Ask: askPlan, Plan: &Plan{Devices: []tundev.Config{device("tun8", "192.0.2.8")}}},
		"something else":             {Ask: 99},
	} {
		if _, fds, err := k.ask(t.Context(), r); err == nil || len(fds) > 0 {
			t.Errorf("%s: %v, %v", name, fds, err)
		}
	}
	fds, err := k.Open(t.Context(), 0)
	if err != nil || len(fds) != 1 {
		t.Fatal(fds, err)
	}
	// A device that is held is not opened twice, and the error is what it was over there.
	if _, err := k.Open(t.Context(), 0); !errors.Is(err, tundev.ErrBusy) {
		t.Errorf("opened twice: %v", err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", k.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CapEff:\t0000000000001000", "CapPrm:\t0000000000001000", "CapBnd:\t0000000000001000", "NoNewPrivs:\t1"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("the keeper's rights are not %q:\n%s", want, status)
		}
	}
	// Nobody else keeps the device: closed here, it is gone.
	unix.Close(fds[0])
	if out := p.sh("ip link show dev tun7 2>&1 || true"); !strings.Contains(out, "does not exist") {
		t.Errorf("closed, it is there: %s", out)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if err := k.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// A device of a loop that was deleted is made again, and its half of the loop with it.
func TestALoopIsLaidAgain(t *testing.T) {
	runtimeDirectory(t)
	p := newPlace(t)
	plan := Plan{Devices: []tundev.Config{device("tun0", "192.0.2.1"), device("tun1", "192.0.2.2")}, Loop: []int{0, 1}}
	var k *Keeper
	if err := p.n.Do(func() (err error) { k, err = Start(plan); return err }); err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	var held []int
	for i := range plan.Devices {
		fds, err := k.Open(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, fds...)
	}
	if err := k.Lay(); err != nil {
		t.Fatal(err)
	}
	loop := func() string {
		return p.sh("ip rule; ip -6 rule; for f in -4 -6; do ip $f route show table 29813 | sort; done")
	}
	was := loop()
	p.sh("ip link del tun1")
	unix.Close(held[1])
	if loop() == was {
		t.Error("nothing is missing")
	}
	fds, err := k.Open(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if now := loop(); now != was {
		t.Errorf("made again:\n%s\nwas\n%s", now, was)
	}
	closeAll(append(fds, held[0]))
}

// A run that lost its keeper is told so, and what is there is not lost.
func TestAKeeperThatWasKilled(t *testing.T) {
	runtimeDirectory(t)
	p := newPlace(t)
	var k *Keeper
	if err := p.n.Do(func() (err error) {
		k, err = Start(Plan{Devices: []tundev.Config{device("tun7", "192.0.2.7")}})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	kill(t, k.cmd.Process.Pid, unix.SIGKILL)
	<-k.gone
	if _, err := k.Open(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "doctor --fix") {
		t.Errorf("opened: %v", err)
	}
	if err := k.Close(); err == nil {
		t.Error("closed: nothing is said")
	}
}

// By hand a keeper is nothing.
func TestAKeeperByHand(t *testing.T) {
	p := newPlace(t)
	if out := p.sh("/proc/" + fmt.Sprint(os.Getpid()) + "/exe " + Verb + " 3<&- 2>&1 || true"); !strings.Contains(out, "not by hand") {
		t.Errorf("it says %q", out)
	}
}
