package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/internal/lab/labtest"
)

// Every console block of the guide to devices is run, one after the other in one
// network, and prints what stands there.
func TestDevicesGuide(t *testing.T) {
	labtest.Need(t, "ip", "ping")
	n := labtest.Namespace(t)
	if b, _ := os.ReadFile("/proc/self/uid_map"); len(strings.Fields(string(b))) == 3 && strings.HasSuffix(strings.TrimSpace(string(b)), " 1") {
		t.Skip("makes a device for nobody, and this user namespace has one user: run it as root")
	}
	t.Setenv("RUNTIME_DIRECTORY", filepath.Join(t.TempDir(), "run"))
	var left []*exec.Cmd
	defer func() {
		for _, cmd := range left {
			cmd.Process.Signal(syscall.SIGTERM)
			cmd.Wait()
		}
	}()
	steps := 0
	for _, b := range blocks(t, "../../docs/devices.md") {
		if b.lang != "console" {
			continue
		}
		for _, step := range strings.Split(b.text, "$ ")[1:] {
			steps++
			command, want, _ := strings.Cut(step, "\n")
			command = strings.TrimPrefix(command, "sudo ")
			if background, ok := strings.CutSuffix(command, " &"); ok {
				cmd := exec.Command("sh", "-c", "exec "+background)
				cmd.Dir = "../.."
				if err := n.Do(cmd.Start); err != nil {
					t.Fatal(err)
				}
				left = append(left, cmd)
				continue
			}
			// What a background program brings about, or its end, may take a moment.
			got := ""
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				cmd := exec.Command("sh", "-c", command)
				cmd.Dir = "../.."
				var out []byte
				n.Do(func() error {
					out, _ = cmd.CombinedOutput() // the status of doctor is 1 where it finds something
					return nil
				})
				got = string(out)
				if steady(got) == steady(want) || time.Now().After(deadline) {
					break
				}
			}
			if diff := cmp.Diff(steady(want), steady(got)); diff != "" {
				t.Fatalf("docs/devices.md:%d: $ %s\n(-the guide, +the program)\n%s", b.line, command, diff)
			}
		}
	}
	if steps < 20 {
		t.Errorf("the guide has only %d commands any more", steps)
	}
}

// steady leaves out what differs from run to run.
func steady(s string) string {
	for _, r := range []struct{ find, put string }{
		{`(?m)^\d+: `, "N: "},
		{`\(pid \d+\) *`, "(pid N) "},
		{`HELD BY *`, "HELD BY "},
		{`(?m)time=[\d.]+ ms$`, "time=T ms"},
		{`(?m)^rtt .*$`, "rtt"},
		{`(?m) time \d+ms$`, " time T"},
		{`qdisc \w+`, "qdisc Q"}, // what the machine's default is
		{`(?m) +$`, ""},
		{` uid 0`, ""},
	} {
		s = regexp.MustCompile(r.find).ReplaceAllString(s, r.put)
	}
	return s
}
