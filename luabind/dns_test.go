package luabind_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// A message with every kind of data, built, and parsed again.
func TestDNSRoundTrip(t *testing.T) {
	l := newLab(t, `
		local dns = require "dns"
		local function same(a, b, where)
			if type(a) ~= "table" or type(b) ~= "table" then assert(a == b, where .. ": " .. tostring(a) .. " and " .. tostring(b)) return end
			for k, v in pairs(a) do same(v, b[k], where .. "." .. k) end
			for k in pairs(b) do assert(a[k] ~= nil, where .. "." .. k .. " came from nowhere") end
		end
		local function rr(type, data) return { name = "www.example.", type = type, class = "IN", ttl = 60, data = data } end
		local m = { id = 4711, qr = true, opcode = 0, aa = true, tc = false, rd = true, ra = true, ad = false, cd = false, rcode = "NXDOMAIN",
			question = { { name = "www.example.", type = "AAAA", class = "IN" }, { name = ".", type = 4711, class = "CH" } },
			answer = { rr("A", "192.0.2.1"), rr("AAAA", "2001:db8::1"), rr("CNAME", "other.example."), rr("NS", "ns.example."), rr("PTR", "host.example."),
				rr("TXT", "one"), rr("TXT", { "one", "two" }), rr("MX", { pref = 10, host = "mail.example." }),
				rr("SRV", { priority = 1, weight = 2, port = 80, target = "www.example." }), rr(65280, "raw\0bytes"), rr("CAA", "\0\5issuex") },
			authority = { rr("SOA", { ns = "ns.example.", mbox = "me.example.", serial = 1, refresh = 2, retry = 3, expire = 4, minttl = 5 }) },
			additional = { { name = ".", type = "OPT", class = 1232, ttl = 0, data = { { code = 10, data = "cookie!!" } } } } }
		local s = dns.build(m)
		same(m, assert(dns.parse(s)), "message")
		assert(#s < 420, "names are compressed: " .. #s)
		same(dns.parse(dns.build{ id = 1, question = { { name = "a.example", type = "a" } } }),
			{ id = 1, qr = false, opcode = 0, aa = false, tc = false, rd = false, ra = false, ad = false, cd = false, rcode = "NOERROR",
			  question = { { name = "a.example.", type = "A", class = "IN" } }, answer = {}, authority = {}, additional = {} }, "short")
		log.info("done")`)
	l.clean()
	if l.said() != "info: done" {
		t.Error(l.said())
	}
}

func TestDNSMistakes(t *testing.T) {
	for arg, want := range map[string]string{
		`7`:                                 `dns.build: want a table, got the number 7`,
		`{ ID = 1 }`:                        `dns.build: there is no "ID"`,
		`{ id = 70000 }`:                    `dns.build: id is 70000, want 0..65535`,
		`{ rcode = "NXDOMIAN" }`:            `dns.build: rcode: there is no rcode "NXDOMIAN"; did you mean "NXDOMAIN"?`,
		`{ qr = 1 }`:                        `dns.build: qr: want true or false, got the number 1`,
		`{ question = "www" }`:              `dns.build: question: want a list of tables`,
		`{ question = { "www" } }`:          `dns.build: question[1]: want a table`,
		`{ question = { { name = "a" } } }`: `dns.build: question[1].type: want a number 0..65535, got nil`,
		`{ question = { { type = "A" } } }`: `dns.build: question[1].name: want a name such as "www.example."`,
		`{ question = { { name = "a..b", type = "A" } } }`:                              `dns.build: question[1]: `,
		`{ question = { { name = ("x"):rep(300), type = "A" } } }`:                      `a name has at most 254 letters`,
		`{ question = { { name = "a", type = "AAA" } } }`:                               `did you mean "A`,
		`{ answer = { { name = "a", type = "A", data = "2001:db8::1" } } }`:             `dns.build: answer[1].data: 2001:db8::1 is of the other family`,
		`{ answer = { { name = "a", type = "A" } } }`:                                   `dns.build: answer[1].data: want an address`,
		`{ answer = { { name = "a", type = "MX", data = "mail" } } }`:                   `answer[1].data: want a table with "pref" or "host"`,
		`{ answer = { { name = "a", type = "MX", data = { pref = 1, hots = "x" } } } }`: `answer[1].data: there is no "hots"; did you mean "host"?`,
		`{ answer = { { name = "a", type = "TXT", data = ("x"):rep(256) } } }`:          `cut it into a list`,
		`{ answer = { { name = "a", type = 99, data = 5 } } }`:                          `answer[1].data: of this type it is bytes`,
		`{ answer = { { name = "a", type = "A", ttl = -1, data = "192.0.2.1" } } }`:     ``,
	} {
		got := evaluate(t, `tohex(require("dns").build(`+arg+`))`)
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", arg, got, want)
		}
	}
	for s, want := range map[string]string{
		`""`: "it is no DNS message", `("\255"):rep(40)`: "it is no DNS message",
		`hex"0001 0000 0001 0000 0000 0000 c00c 0001 0001"`: "it is no DNS message", // a name that points to itself
	} {
		if got := evaluate(t, `select(2, require("dns").parse(`+s+`))`); !strings.Contains(got, want) {
			t.Errorf("%s: %s", s, got)
		}
	}
	if got := evaluate(t, `require("dns").parse(5)`); !strings.Contains(got, "want a string") {
		t.Error(got)
	}
}

// Messages of the corpus: what gopacket reads in them is read here, too.
func TestDNSOfTheCorpus(t *testing.T) {
	files, _ := filepath.Glob("../../shared/corpus/*/*")
	if len(files) == 0 {
		t.Skip("no corpus of captures beside the repository")
	}
	messages := 0
	for _, file := range files {
		r, err := pcapfile.OpenReader(file, pcapfile.Select{})
		if err != nil {
			continue
		}
		for {
			p, err := r.Next()
			if err != nil {
				break
			}
			first := layers.LayerTypeEthernet
			if p.Link == 0 {
				first = layers.LayerTypeIPv4
			}
			d, ok := gopacket.NewPacket(p.Data, first, gopacket.Default).Layer(layers.LayerTypeDNS).(*layers.DNS)
			if !ok {
				continue
			}
			messages++
			var b strings.Builder
			for _, q := range d.Questions {
				b.WriteString(strings.ToLower(string(q.Name)) + " ")
			}
			for _, a := range d.Answers {
				b.WriteString(strings.ToLower(string(a.Name)) + " ")
				if a.Type == layers.DNSTypeA || a.Type == layers.DNSTypeAAAA {
					b.WriteString(a.IP.String() + " ")
				}
			}
			if got := parsed(t, string(d.Contents)); got != b.String() && !strings.HasPrefix(got, "error") {
				t.Errorf("%s: %q, gopacket %q", filepath.Base(file), got, b.String())
			}
		}
		r.Close()
	}
	if messages < 20 {
		t.Errorf("%d messages of DNS in the corpus", messages)
	}
	t.Log(messages, "messages")
}

// parsed is a message as a script sees it: names, and addresses of answers.
func parsed(t testing.TB, msg string) (got string) {
	t.Helper()
	script, err := luabind.LoadString("dns.lua", `
		local dns = require "dns"
		local m, err = dns.parse(option("m", { default = "" }))
		if not m then return print("error " .. err) end
		local out = {}
		local function name(n) n = n:lower() out[#out + 1] = n:sub(1, -2) .. " " end
		for _, q in ipairs(m.question) do name(q.name) end
		for _, a in ipairs(m.answer) do
			name(a.name)
			if a.type == "A" or a.type == "AAAA" then out[#out + 1] = a.data .. " " end
		end
		print(table.concat(out))
		assert(pcall(dns.build, m))`, luabind.Options{
		Option: func(luabind.Option) (any, bool) { return msg, true },
		Log:    func(_ luabind.Level, _, text string) { got = text },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (setup{programs: []engine.Program{script}}).try(t); err != nil {
		t.Errorf("%x: %v", msg, err)
	}
	return got
}

// No bytes bring the parser down, and what it has read can be built.
func FuzzDNS(f *testing.F) {
	f.Add("\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03www\x07example\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01")
	f.Add("\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\xff\x00\x01\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x00")
	f.Fuzz(func(t *testing.T, msg string) { parsed(t, msg) })
}
