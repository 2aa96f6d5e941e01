package vm

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// requireOther is another Lua than 5.1, the original of a library that came later.
func requireOther(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("TUNSCRIPT_REQUIRE_LUA") == "1" {
		t.Fatalf("%s is required here: %v", name, err)
	}
	t.Skipf("needs %s to compare with: apt-get install %s", name, name)
	return ""
}

// sameAs runs lines of Lua here and on the original, each for itself, and compares what
// they give: results as text, or the error without its place.
func sameAs(t *testing.T, original string, lines []string) {
	t.Helper()
	for len(lines) > 2000 {
		sameAs(t, original, lines[:2000])
		lines = lines[2000:]
	}
	const head = `
local function show(...)
  local t = {}
  for i = 1, select("#", ...) do
    local v = select(i, ...)
    if type(v) == "number" then v = ("%.17g"):format(v)
    elseif type(v) == "string" then v = '"' .. v:gsub("[^%w %p]", function(c) return ("\\%03d"):format(c:byte()) end) .. '"' end
    t[i] = tostring(v)
  end
  print(table.concat(t, " "))
end
local function run(f)
  local function result(ok, ...)
    if ok then return show(...) end
    print("error " .. tostring((...)):gsub("^[^ ]*:%d+: ", ""))
  end
  result(pcall(f))
end
`
	var b strings.Builder
	b.WriteString(head)
	for _, l := range lines {
		fmt.Fprintf(&b, "run(function() return %s end)\n", l)
	}
	cmd := exec.CommandContext(t.Context(), requireOther(t, original), "-")
	cmd.Stdin = strings.NewReader(b.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", original, err)
	}
	want := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	got := onVM(t, b.String())
	different := 0
	for i, l := range lines {
		if i >= len(got) || i >= len(want) {
			t.Fatalf("%s: %d lines here, %d there; the last here is %q", l, len(got), len(want), got[len(got)-1])
		}
		if got[i] != want[i] {
			if different++; different <= 20 {
				t.Errorf("%s\n  is %s\n  want %s", l, got[i], want[i])
			}
		}
	}
	t.Logf("%d lines, %d differ from %s", len(lines), different, original)
}

func TestBitIsLuaJITs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var lines []string
	for range 3000 {
		args := make([]string, 1+r.IntN(3))
		for i := range args {
			args[i] = bitNumber(r)
		}
		switch fn := pickOne(r, "tobit", "tohex", "bnot", "bswap", "band", "bor", "bxor", "lshift", "rshift", "arshift", "rol", "ror"); fn {
		case "tobit", "bnot", "bswap":
			lines = append(lines, fmt.Sprintf("bit.%s(%s)", fn, args[0]))
		case "tohex":
			lines = append(lines, fmt.Sprintf("bit.tohex(%s, %d)", args[0], r.IntN(24)-12))
		case "lshift", "rshift", "arshift", "rol", "ror":
			lines = append(lines, fmt.Sprintf("bit.%s(%s, %d)", fn, args[0], r.IntN(70)-5))
		default:
			lines = append(lines, fmt.Sprintf("bit.%s(%s)", fn, strings.Join(args, ", ")))
		}
	}
	lines = append(lines, "bit.tohex(-1)", `bit.band("0xff", "15")`)
	sameAs(t, "luajit", lines)
}

func TestBit32IsLua52s(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	var lines []string
	for range 3000 {
		args := make([]string, r.IntN(4))
		for i := range args {
			args[i] = bitNumber(r)
		}
		x := bitNumber(r)
		switch fn := pickOne(r, "band", "bor", "bxor", "btest", "bnot", "lshift", "rshift", "arshift", "lrotate", "rrotate", "extract", "replace"); fn {
		case "bnot":
			lines = append(lines, fmt.Sprintf("bit32.%s(%s)", fn, x))
		case "lshift", "rshift", "arshift", "lrotate", "rrotate":
			lines = append(lines, fmt.Sprintf("bit32.%s(%s, %d)", fn, x, r.IntN(80)-40))
		case "extract":
			lines = append(lines, fmt.Sprintf("bit32.%s(%s, %d, %d)", fn, x, r.IntN(36)-2, r.IntN(36)-2))
		case "replace":
			lines = append(lines, fmt.Sprintf("bit32.%s(%s, %s, %d, %d)", fn, x, bitNumber(r), r.IntN(36)-2, r.IntN(36)-2))
		default:
			lines = append(lines, fmt.Sprintf("bit32.%s(%s)", fn, strings.Join(args, ", ")))
		}
	}
	lines = append(lines, "bit32.extract(255, 3)", "bit32.band()", `bit32.bor("0xff", 256)`)
	sameAs(t, "lua5.2", lines)
}

func pickOne(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }

// bitNumber is a whole number that a script may have in its hands.
func bitNumber(r *rand.Rand) string {
	switch r.IntN(4) {
	case 0:
		return fmt.Sprint(r.IntN(300) - 20)
	case 1:
		return fmt.Sprint(int64(1)<<r.IntN(33) - int64(r.IntN(2)))
	case 2:
		return fmt.Sprint(-int64(r.Uint32()))
	}
	return fmt.Sprint(r.Uint32())
}
