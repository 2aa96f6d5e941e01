package filter

import "strings"

// wantNumber and wantCondition are what unexpected is mostly asked for.
const (
	wantNumber    = `a number, "len" or a protocol and its bytes, as in tcp[13]`
	wantCondition = "a condition"
)

// unexpected says that the next token cannot stand where it does, and what could.
func (p *parser) unexpected(want string) {
	t := p.tok()
	text := p.text[t.at:t.end]
	number := want == wantNumber
	switch {
	case t.kind == tEnd:
		p.fail(t, "", "the text ends where %s should follow", want)
	case t.kind == tBad:
		p.fail(t, "", "%s", t.text)
	case p.last.kind == tHID6 && p.last.end == t.at && t.kind != tKey:
		p.fail(p.last, "", "%q is no IPv6 address", p.text[p.last.at:t.end])
	case t.kind == tID && isForeign(t.text) && !number:
		near, why := refused(t.text)
		p.fail(t, near, "%q %s", t.text, why)
	case t.kind == tID && strings.HasPrefix(t.text, "len-"):
		p.fail(t, "", "%q is one word: put spaces around the minus sign", t.text)
	case want == wantCondition && (t.text == "any" || t.text == "all" || t.text == "*"):
		p.fail(t, "", "unexpected %q: every packet is meant where there is no filter", text)
	case t.kind == tID:
		p.fail(t, meant(t.text, number), "unexpected %q, expected %s", text, want)
	case want == wantCondition && (t.kind == tHID || t.kind == tHID6 || t.kind == tEID):
		p.fail(t, "", "nothing says what %q is: write host, net or ether host before it", text)
	case t.kind == tKey:
		p.misplaced(t, want)
	default:
		p.fail(t, "", "unexpected %q, expected %s", text, want)
	}
}

// misplaced is unexpected for a word or sign of the language, which often means
// something in another one.
func (p *parser) misplaced(t token, want string) {
	text := p.text[t.at:t.end]
	near := ""
	switch {
	case t.text == "/" && p.last.kind == tNum:
		p.fail(p.last, "", "%s is too short for a prefix length: write %s.0.0.0", p.last.text, p.last.text)
	case p.isRelop() && p.last.end == t.at && p.last.kind == tKey:
		near = saidForRelation[p.text[p.last.at:t.end]]
	case p.isRelop() && want != wantNumber && want != `"]"`:
		p.fail(t, "", "unexpected %q, expected %s: only numbers are compared, as in tcp[2:2] == 80", text, want)
	case t.text == ":" && p.last.kind == tHID:
		p.fail(t, "and port", "unexpected %q, expected %s: an address and a port are two conditions", text, want)
	case t.text == "[" && want == "an address":
		p.fail(t, "", "unexpected %q, expected %s without brackets", text, want)
	case t.text == "-" && p.last.kind == tNum, t.text == "-" && p.last.text == "portrange":
		p.fail(t, "", "unexpected %q, expected %s: a range has both ends and no spaces, as in 1-1024", text, want)
	case isProto(t.text) && (p.last.text == "src" || p.last.text == "dst"):
		near = t.text + " " + p.last.text
	case t.text == "&":
		near = "&&"
	case t.text == "|":
		near = "||"
	}
	p.fail(t, near, "unexpected %q, expected %s", text, want)
}
