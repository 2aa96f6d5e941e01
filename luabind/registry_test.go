package luabind_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/luabind"
)

// Stubs, documentation and checks are made of the registry, so every name says what
// it takes and what it means, in one line.
func TestEveryNameIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range luabind.Registry() {
		if e.Sig == "" || e.Doc == "" {
			t.Errorf("%s: signature %q, meaning %q", e.Name, e.Sig, e.Doc)
		}
		if strings.Contains(e.Doc, "\n") || strings.HasSuffix(e.Doc, ".") {
			t.Errorf("%s: %q is not one line without a full stop", e.Name, e.Doc)
		}
		seen[e.Name] = true
	}
	for _, name := range []string{"on", "send", "packet", "ip", "log.info", "devices", "tcp.dport", "packet:reply", "options.mss", "on.prio"} {
		if !seen[name] {
			t.Errorf("%s is not in the registry", name)
		}
	}
}

// What the registry names is there.
func TestGlobals(t *testing.T) {
	var b strings.Builder
	for _, e := range luabind.Registry() {
		if strings.HasPrefix(e.Name, "on.") || strings.HasPrefix(e.Name, "devices.") || strings.ContainsAny(e.Name, ":") {
			continue
		}
		if table, field, ok := strings.Cut(e.Name, "."); ok && table == "log" {
			b.WriteString("assert(log." + field + ")\n")
		} else if !ok && e.Sig != "layer" {
			b.WriteString("assert(" + e.Name + " ~= nil, '" + e.Name + "')\n")
		}
	}
	newLab(t, b.String()).clean()
}
