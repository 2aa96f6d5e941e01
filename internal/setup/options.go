package setup

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/luabind"
)

// Settings are the values of scripts' options, from the file and from --set, and the
// options that the scripts have said they have. Safe for concurrent use: scripts start
// on several goroutines.
type Settings struct {
	given []given // --set

	mu       sync.Mutex
	declared map[string]map[string]luabind.Option // by script and name
}

// given is one --set [SCRIPT.]NAME=VALUE.
type given struct {
	script, name string // script "" for whichever has it
	value        luabind.Text
}

// ParseSettings reads the values of --set.
func ParseSettings(sets []string) (*Settings, error) {
	st := &Settings{declared: map[string]map[string]luabind.Option{}}
	for _, set := range sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--set %q: write it as NAME=VALUE, or SCRIPT.NAME=VALUE", set)
		}
		st.given = append(st.given, givenOf(key, value))
	}
	return st, nil
}

func givenOf(key, value string) given {
	g := given{name: key, value: luabind.Text(value)}
	if dot := strings.LastIndexByte(key, '.'); dot >= 0 {
		g.script, g.name = key[:dot], key[dot+1:]
	}
	return g
}

// Set gives the one option that key names, NAME or SCRIPT.NAME, another value: what the
// script reads when it is loaded next. undo takes it back.
func (st *Settings) Set(key, value string) (script string, undo func(), err error) {
	g := givenOf(key, value)
	st.mu.Lock()
	defer st.mu.Unlock()
	if g.script, err = st.owner(g, slices.Sorted(maps.Keys(st.declared))); err != nil {
		return "", nil, err
	}
	before := st.given
	st.given = append(slices.DeleteFunc(slices.Clone(before), func(o given) bool {
		return o.name == g.name && o.script == g.script
	}), g)
	return g.script, func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.given = before
	}, nil
}

// of answers the options of one script: --set goes before the file.
func (st *Settings) of(script config.Script) func(luabind.Option) (any, bool) {
	return func(o luabind.Option) (any, bool) {
		st.mu.Lock()
		defer st.mu.Unlock()
		if st.declared[o.Script] == nil {
			st.declared[o.Script] = map[string]luabind.Option{}
		}
		st.declared[o.Script][o.Name] = o
		for _, g := range slices.Backward(st.given) {
			if g.name == o.Name && (g.script == o.Script || g.script == "") {
				return g.value, true
			}
		}
		v, ok := script.Options[o.Name]
		return v, ok
	}
}

// Option answers a script that no file configures.
func (st *Settings) Option(o luabind.Option) (any, bool) { return st.of(config.Script{})(o) }

// Check refuses a --set that none of the scripts that have started has, or two.
func (st *Settings) Check() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	names := slices.Sorted(maps.Keys(st.declared))
	for _, g := range st.given {
		if _, err := st.owner(g, names); err != nil {
			return &SettingError{g.key(), err}
		}
	}
	return nil
}

// Declared are the options of all scripts that have started, by script and name.
func (st *Settings) Declared() []luabind.Option {
	st.mu.Lock()
	defer st.mu.Unlock()
	var all []luabind.Option
	for _, script := range slices.Sorted(maps.Keys(st.declared)) {
		for _, name := range slices.Sorted(maps.Keys(st.declared[script])) {
			all = append(all, st.declared[script][name])
		}
	}
	return all
}

// program starts after all scripts, and does not start if something was set that none
// of them has: a misspelt name must not leave the default in force.
func (st *Settings) program(c *config.Config, names []string) engine.Program {
	return engine.ProgramFunc("options", func(*engine.Scope) error {
		st.mu.Lock()
		defer st.mu.Unlock()
		for i, s := range c.Scripts {
			for _, name := range slices.Sorted(maps.Keys(s.Options)) {
				if _, ok := st.declared[names[i]][name]; !ok {
					return c.Mistake(fmt.Sprintf("script[%d].options.%s", i+1, name), st.unknown(name, names[i]))
				}
			}
		}
		for _, g := range st.given {
			if _, err := st.owner(g, names); err != nil {
				return &SettingError{g.key(), err}
			}
		}
		return nil
	})
}

// owner is the one script that a --set is about.
func (st *Settings) owner(g given, names []string) (string, error) {
	if g.script != "" {
		if !slices.Contains(names, g.script) {
			return "", fmt.Errorf("there is no script %q; there is %s", g.script, strings.Join(names, ", "))
		}
		names = []string{g.script}
	}
	var have []string
	for _, name := range names {
		if _, ok := st.declared[name][g.name]; ok {
			have = append(have, name)
		}
	}
	switch len(have) {
	case 0:
		return "", st.unknown(g.name, names...)
	case 1:
		return have[0], nil
	}
	return "", fmt.Errorf("%s have it: say which, as in %s.%s=%s", strings.Join(have, " and "), have[0], g.name, g.value)
}

// unknown is the error about an option that none of the scripts has.
func (st *Settings) unknown(name string, scripts ...string) error {
	var words []string
	for _, script := range scripts {
		words = slices.AppendSeq(words, maps.Keys(st.declared[script]))
	}
	slices.Sort(words)
	if near := config.Nearest(name, words); near != "" {
		return fmt.Errorf("there is no option %q; did you mean %q?", name, near)
	}
	if len(words) == 0 {
		return fmt.Errorf("there is no option %q, nor any other", name)
	}
	return fmt.Errorf("there is no option %q; there is %s", name, strings.Join(words, ", "))
}

func (g given) key() string {
	if g.script != "" {
		return g.script + "." + g.name
	}
	return g.name
}

// A SettingError is a --set that suits no script.
type SettingError struct {
	Key string
	Err error
}

func (e *SettingError) Error() string { return fmt.Sprintf("--set %s: %v", e.Key, e.Err) }
func (e *SettingError) Unwrap() error { return e.Err }
