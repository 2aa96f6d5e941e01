package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The cases, in the order of the table.
const (
	echo    = "echo"
	ping    = "ping"
	start   = "start"
	forward = "forward"
)

// A program is one that is put before the load of a group.
type program struct {
	group    string
	name     string
	about    string // in the table
	argv     []string
	baseline bool   // what the others of its group are held against
	plain    bool   // the forwarder without vnet header
	ready    string // what it says when its devices are done
	rewrite  bool   // the client connects to an address that this program rewrites
	needs    []need
}

// A need is something of the machine's, and how to get it.
type need struct {
	there  func() bool
	remedy string
}

func (p program) id() string { return p.group + "/" + p.name }

// missing says what the machine lacks for the program, or "".
func (p program) missing() string {
	for _, n := range p.needs {
		if !n.there() {
			return n.remedy
		}
	}
	return ""
}

func file(path, remedy string) need {
	return need{func() bool { _, err := os.Stat(path); return err == nil }, remedy}
}

func command(name, debian string) need {
	return need{func() bool { _, err := exec.LookPath(name); return err == nil }, "apt-get install " + debian}
}

// python is Debian's where it is: the one that its packages are installed for.
func python() string {
	if _, err := os.Stat("/usr/bin/python3"); err == nil {
		return "/usr/bin/python3"
	}
	return "python3"
}

func hasScapy() bool { return exec.Command(python(), "-c", "import scapy.all").Run() == nil }

// programs are all of them. dir is where build has put what is compiled.
func programs(dir string) []program {
	in := func(name string) string { return filepath.Join(dir, name) }
	peer := func(name string) string { return filepath.Join(folder, "peers", name) }
	gcc := file(in("reflector"), "apt-get install gcc libc6-dev")
	iperf, pinger := command("iperf3", "iperf3"), command("ping", "iputils-ping")
	run := func(name string) []string { return []string{in("tunscript"), "run", "-c", in(name + ".toml")} }
	max := need{func() bool { return checks(in("tunscript"), in("echo-max.toml")) }, `offload = "max" is not in this version`}

	all := []program{
		{group: echo, name: "c", about: "C: read, swap, write", argv: []string{in("reflector"), "tun0"}, baseline: true, needs: []need{gcc}},
		{group: echo, name: "tunscript", about: "tunscript, a Lua handler", argv: run("echo")},
		{group: echo, name: "tunscript-test", about: "the same, a field tested first", argv: run("echo-test")},
		{group: echo, name: "tunscript-max", about: `a Lua handler, offload = "max"`, argv: run("echo-max"), needs: []need{max}},
		{group: echo, name: "luajit", about: "LuaJIT with FFI", argv: []string{"luajit", peer("reflect.lua"), "tun0"}, needs: []need{command("luajit", "luajit")}},
		{group: echo, name: "go", about: "Go, os.File and gopacket", argv: []string{in("gopacket"), "tun0"}},
		{group: echo, name: "python", about: "Python, os.read and slices", argv: []string{python(), peer("reflect.py"), "tun0"}, needs: []need{command(python(), "python3")}},
		{group: echo, name: "scapy", about: "Python, Scapy", argv: []string{python(), peer("reflect_scapy.py"), "tun0"}, needs: []need{{hasScapy, "apt-get install python3-scapy"}}},

		{group: ping, name: "c", about: "C: read, swap, write", argv: []string{in("reflector"), "tun0"}, baseline: true, needs: []need{gcc, pinger}},
		{group: ping, name: "tunscript", about: "tunscript, a Lua handler", argv: run("echo"), needs: []need{pinger}},

		{group: start, name: "c", about: "C: read, swap, write", argv: []string{in("reflector"), "tun0"}, baseline: true, needs: []need{gcc}},
		{group: start, name: "tunscript", about: "tunscript, a Lua handler", argv: run("echo")},
		{group: start, name: "go", about: "Go, os.File and gopacket", argv: []string{in("gopacket"), "tun0"}},
		{group: start, name: "python", about: "Python, os.read and slices", argv: []string{python(), peer("reflect.py"), "tun0"}, needs: []need{command(python(), "python3")}},

		{group: forward, name: "c", about: "C with the vnet header", argv: []string{in("forwarder"), "tun0", "tun1", "vnet"}, baseline: true, needs: []need{gcc, iperf}},
		{group: forward, name: "c-plain", about: "C without it", argv: []string{in("forwarder"), "tun0", "tun1", "plain"}, plain: true, needs: []need{gcc, iperf}},
	}
	for _, f := range forwarders {
		all = append(all, program{group: forward, name: f.name, about: f.about, argv: run(f.name), ready: "device=tun1", rewrite: f.name == "rewrite", needs: []need{iperf}})
	}
	return all
}

// forwarders are what tunscript forwards with: scripts of these names, but for the first.
var forwarders = []struct{ name, about string }{
	{"none", "tunscript, no handler"},
	{"bypass", "tunscript, flow:bypass"},
	{"rewrite", "tunscript, flow:rewrite of address and port"},
	{"super", "tunscript, a super handler that counts"},
	{"count", "tunscript, a handler that counts"},
	{"ttl", "tunscript, a handler that decrements the TTL"},
}

// checks says whether this version can do what a configuration asks for.
func checks(tunscript, config string) bool {
	return exec.Command(tunscript, "check", "-c", config).Run() == nil
}

// build compiles what is to be compiled into dir, and writes the configurations.
func build(ctx context.Context, dir string) error {
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	defer stop()
	jobs := [][]string{
		{"go", "build", "-o", filepath.Join(dir, "tunscript"), "./cmd/tunscript"},
		{"go", "build", "-o", filepath.Join(dir, "gopacket"), "./" + filepath.Join(folder, "peers", "gopacket")},
	}
	if _, err := exec.LookPath("gcc"); err == nil {
		for _, name := range []string{"reflector", "forwarder"} {
			jobs = append(jobs, []string{"gcc", "-O2", "-Wall", "-o", filepath.Join(dir, name), filepath.Join(folder, "peers", name+".c")})
		}
	}
	for _, job := range jobs {
		out, err := exec.CommandContext(ctx, job[0], job[1:]...).CombinedOutput()
		if err != nil && job[0] == "gcc" && strings.Contains(string(out), "No such file") {
			continue // a compiler without the C library's headers: as if it were not there
		}
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(job, " "), err, out)
		}
	}
	return configure(dir)
}

// configure writes tunscript's configurations. Devices have no addresses there: the
// bench gives every program's devices theirs, in the same way.
func configure(dir string) error {
	at, err := filepath.Abs(filepath.Join(folder, "scripts"))
	if err != nil {
		return err
	}
	script := func(name string) string {
		return fmt.Sprintf("[[script]]\npath = %q\n", filepath.Join(at, name+".lua"))
	}
	const two = "[[device]]\nname = \"tun0\"\nforward = \"tun1\"\n[[device]]\nname = \"tun1\"\nforward = \"tun0\"\n"
	texts := map[string]string{
		"echo":      "[[device]]\nname = \"tun0\"\n" + script("echo"),
		"echo-test": "[[device]]\nname = \"tun0\"\n" + script("echo-test"),
		"echo-max":  "[[device]]\nname = \"tun0\"\noffload = \"max\"\n" + script("echo"),
	}
	for _, f := range forwarders {
		texts[f.name] = two
		if f.name != "none" {
			texts[f.name] += script(f.name)
		}
	}
	var errs []error
	for name, text := range texts {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name+".toml"), []byte(text), 0o644))
	}
	return errors.Join(errs...)
}
