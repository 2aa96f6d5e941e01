package vm

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// requireLua is PUC Lua 5.1. Without it there is nothing to compare with: the test
// is skipped, or fails where TUNSCRIPT_REQUIRE_LUA=1 says that it must not be.
func requireLua(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("lua5.1")
	if err == nil {
		return path
	}
	if os.Getenv("TUNSCRIPT_REQUIRE_LUA") == "1" {
		t.Fatalf("lua5.1 is required here: %v", err)
	}
	t.Skip("needs PUC Lua 5.1 to compare with: apt-get install lua5.1")
	return ""
}

// Other programs than the usual ones: go test -run Differential -first 1000000
var firstProgram = flag.Uint64("first", 0, "number of the first random program")

// runner runs each program of a file on PUC Lua, with globals of its own.
const runner = `
local function run(n, src)
  print("#" .. n)
  local f, e = loadstring(src, "=p")
  if not f then print("COMPILE " .. e) return end
  setfenv(f, setmetatable({}, {__index = _G}))
  local ok, e = pcall(f)
  if not ok then print("FAILED " .. tostring(e)) end
end
`

// onPUC is what each of the programs prints on PUC Lua, run in one process.
func onPUC(t testing.TB, lua string, programs []string) [][]string {
	t.Helper()
	var b strings.Builder
	b.WriteString(runner)
	for i, p := range programs {
		fmt.Fprintf(&b, "run(%d, [=====[%s]=====])\n", i, p)
	}
	file := filepath.Join(t.TempDir(), "programs.lua")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), lua, file).CombinedOutput()
	if err != nil {
		t.Fatalf("lua5.1: %v\n%s", err, tail(out))
	}
	results := make([][]string, 0, len(programs))
	sc := bufio.NewScanner(bytes.NewReader(out))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if l := sc.Text(); l == fmt.Sprintf("#%d", len(results)) {
			results = append(results, nil)
		} else {
			results[len(results)-1] = append(results[len(results)-1], l)
		}
	}
	return results
}

func tail(b []byte) string { return string(b[max(0, len(b)-2000):]) }

// onVM is what a program prints here.
func onVM(t testing.TB, program string) (lines []string) {
	t.Helper()
	c, err := Compile("p", program, Limits{})
	if err != nil {
		return []string{"COMPILE " + err.Error()}
	}
	s := newState(t, Options{Print: func(l string) { lines = append(lines, strings.Split(l, "\n")...) }})
	defer s.Close()
	if _, err := s.Run(c); err != nil {
		lines = append(lines, "FAILED "+err.Error())
	}
	return lines
}

func newState(t testing.TB, opt Options) *State {
	t.Helper()
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDifferential runs random programs here and on PUC Lua 5.1. Not a line of
// what they print may differ.
func TestDifferential(t *testing.T) {
	lua := requireLua(t)
	count, batch := 16_000, 1000
	if testing.Short() {
		count = 2000
	}
	var mu sync.Mutex
	different := 0
	var wg sync.WaitGroup
	gate := make(chan struct{}, 2)
	for first := 0; first < count; first += batch {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			var ours, puc []string
			for n := first; n < first+batch; n++ {
				o, p := program(*firstProgram + uint64(n))
				ours, puc = append(ours, o), append(puc, p)
			}
			want := onPUC(t, lua, puc)
			for i, o := range ours {
				got := onVM(t, o)
				if d := firstDifference(got, want[i]); d != "" {
					mu.Lock()
					if different++; different <= 10 {
						t.Errorf("program %d: %s\n%s", *firstProgram+uint64(first+i), d, strings.TrimPrefix(o, prelude))
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d programs, %d differ", count, different)
}

// firstDifference is the first line that differs, or "".
func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, w := "<nothing>", "<nothing>"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return fmt.Sprintf("line %d is %q, want %q", i+1, g, w)
		}
	}
	return ""
}
