package luabind

import (
	"fmt"
	"strings"
)

// A Form is one way to call a function of the API: its parameters and results.
type Form struct {
	Params  []Param
	Returns []Param // without names where the signature gives none
}

// A Param is one parameter or result.
type Param struct {
	Name     string // "..." takes any number
	Type     string // of LuaLS: "integer", `"drop"|"pass"`, "packet", "string[]"
	Optional bool
}

// parseSignature reads the signature of a function: LuaLS's type without the word
// fun, "(s: string, init?: integer): string, integer", several forms between " | ".
func parseSignature(sig string) ([]Form, error) {
	r := sigReader{text: sig}
	var forms []Form
	for {
		form, err := r.form()
		if err != nil {
			return nil, fmt.Errorf("signature %q: %w", sig, err)
		}
		forms = append(forms, form)
		if r.rest() == "" {
			return forms, nil
		}
		if !r.take(" | ") {
			return nil, fmt.Errorf("signature %q: %q is left over", sig, r.rest())
		}
	}
}

// ParseForms reads a signature: LuaLS's function type without the word fun, several
// forms between " | ".
func ParseForms(sig string) ([]Form, error) { return parseSignature(sig) }

// parseType checks a type of LuaLS.
func parseType(typ string) error {
	r := sigReader{text: typ}
	if _, err := r.union(); err != nil {
		return fmt.Errorf("type %q: %w", typ, err)
	}
	if r.rest() != "" {
		return fmt.Errorf("type %q: %q is left over", typ, r.rest())
	}
	return nil
}

// isFunction says whether sig is a function's and not a value's type.
func isFunction(sig string) bool { return strings.HasPrefix(sig, "(") }

// A sigReader reads signatures and types from left to right.
type sigReader struct {
	text string
	at   int
}

func (r *sigReader) rest() string { return r.text[r.at:] }

func (r *sigReader) take(s string) bool {
	if !strings.HasPrefix(r.rest(), s) {
		return false
	}
	r.at += len(s)
	return true
}

func (r *sigReader) want(s string) error {
	if !r.take(s) {
		return fmt.Errorf("want %q before %q", s, r.rest())
	}
	return nil
}

// name is a word; with dots it is a class's.
func (r *sigReader) name(dots bool) string {
	start := r.at
	for r.at < len(r.text) {
		c := r.text[r.at]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (r.at == start || !('0' <= c && c <= '9' || dots && c == '.')) {
			break
		}
		r.at++
	}
	return r.text[start:r.at]
}

func (r *sigReader) form() (f Form, err error) {
	if err := r.want("("); err != nil {
		return f, err
	}
	for !r.take(")") {
		if len(f.Params) > 0 {
			if err := r.want(", "); err != nil {
				return f, err
			}
		}
		p, err := r.param()
		if err != nil {
			return f, err
		}
		f.Params = append(f.Params, p)
	}
	if !r.take(": ") {
		return f, nil
	}
	for {
		result, err := r.result()
		if err != nil {
			return f, err
		}
		f.Returns = append(f.Returns, result)
		if !r.take(", ") {
			return f, nil
		}
	}
}

// param is "name?: type" or "...: type".
func (r *sigReader) param() (p Param, err error) {
	switch {
	case r.take("..."):
		p.Name = "..."
	default:
		if p.Name = r.name(false); p.Name == "" {
			return p, fmt.Errorf("want a parameter's name before %q", r.rest())
		}
		p.Optional = r.take("?")
	}
	if err := r.want(": "); err != nil {
		return p, err
	}
	p.Type, err = r.union()
	return p, err
}

// result is a type, or a parameter with its name.
func (r *sigReader) result() (p Param, err error) {
	start := r.at
	if p, err = r.param(); err == nil {
		return p, nil
	}
	r.at = start
	p = Param{}
	p.Type, err = r.union()
	if strings.HasSuffix(p.Type, "?") {
		p.Type, p.Optional = strings.TrimSuffix(p.Type, "?"), true
	}
	return p, err
}

// union is "type|type" and gives it as it stands.
func (r *sigReader) union() (string, error) {
	start := r.at
	for {
		if err := r.single(); err != nil {
			return "", err
		}
		for r.take("[]") {
		}
		r.take("?")
		if strings.HasPrefix(r.rest(), "|") {
			r.at++
			continue
		}
		return r.text[start:r.at], nil
	}
}

// single is one type: a word, a string, fun(...), table<K, V>, {name: T}, [A, B]
// or a type in parentheses.
func (r *sigReader) single() error {
	switch {
	case r.take(`"`):
		end := strings.IndexByte(r.rest(), '"')
		if end < 0 {
			return fmt.Errorf("a string does not end in %q", r.text)
		}
		r.at += end + 1
		return nil
	case strings.HasPrefix(r.rest(), "fun("):
		r.at += len("fun")
		_, err := r.form()
		return err
	case r.take("("):
		if _, err := r.union(); err != nil {
			return err
		}
		return r.want(")")
	case r.take("{"):
		return r.list("}", func() error { _, err := r.param(); return err })
	case r.take("["):
		return r.list("]", func() error { _, err := r.union(); return err })
	}
	name := r.name(true)
	if name == "" {
		return fmt.Errorf("want a type before %q", r.rest())
	}
	if r.take("<") {
		return r.list(">", func() error { _, err := r.union(); return err })
	}
	return nil
}

// list is items between commas up to end.
func (r *sigReader) list(end string, item func() error) error {
	for {
		if err := item(); err != nil {
			return err
		}
		if r.take(end) {
			return nil
		}
		if err := r.want(", "); err != nil {
			return err
		}
	}
}
