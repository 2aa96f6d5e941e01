package luabind

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/impair"
)

// impairModule is called: require "impair" { "udp", loss = 0.1 }.
func impairModule() module {
	return module{name: "impair", doc: "bad links: loss, delay and other faults, for every packet once, before handlers and tasks see it or when it leaves",
		call: global{name: "impair", sig: "(faults: impair.options): handle",
			doc: "makes links bad from now on, until the handle is cancelled or the script ends", fn: (*instance).impair}}
}

// maxImpairments bounds the rules of a script: each is asked about every packet.
const maxImpairments = 1000

func (in *instance) impair(L *lua.LState) int {
	t, ok := L.Get(1).(*lua.LTable)
	switch {
	case !ok:
		return in.state.Raise(L, fmt.Errorf("impair: want a table, as in impair{ \"udp\", loss = 0.1 }, got %s", describe(L.Get(1))))
	case L.GetTop() > 1:
		return in.state.Raise(L, errors.New(`impair: everything goes into one table, as in impair{ "udp", loss = 0.1 }`))
	case in.impairments >= maxImpairments:
		return in.state.Raise(L, fmt.Errorf("impair: the script has %d rules, and more may not be: cancel some", maxImpairments))
	}
	in.state.Work(filterWork + in.impairments*indexWork)
	var c engine.ImpairConfig
	if err := impairTable(t, &c); err != nil {
		return in.state.Raise(L, fmt.Errorf("impair: %w", err))
	}
	rule, err := in.scope.Impair(c)
	if err != nil {
		if se, ok := errors.AsType[*filter.SyntaxError](err); ok {
			err = se // says itself that it is the filter
		}
		if _, ok := errors.AsType[*impair.OptionError](err); !ok {
			err = fmt.Errorf("impair: %w", err)
		}
		return in.state.Raise(L, err)
	}
	in.impairments++
	cancelled := false
	return in.pushHandle(L, func() {
		rule.Cancel()
		if !cancelled {
			cancelled = true
			in.impairments--
		}
	})
}

// impairTable reads what impair takes. The profile comes first: what else is said
// goes before it, a 0 included.
func impairTable(t *lua.LTable, c *engine.ImpairConfig) error {
	given := map[string]lua.LValue{}
	var err error
	t.ForEach(func(key, v lua.LValue) {
		name, isName := key.(lua.LString)
		switch _, known := impairOptions[string(name)]; {
		case err != nil:
		case isName && known:
			given[string(name)] = v
		case key == lua.LValue(lua.LNumber(1)):
			text, ok := v.(lua.LString)
			if !ok {
				err = fmt.Errorf("the filter is a string, got %s", describe(v))
			}
			c.Filter = string(text)
		default:
			err = fmt.Errorf("there is no option %v%s (there are %s)", optionName(key), didYouMean(string(name), impairOptions),
				strings.Join(slices.Sorted(maps.Keys(impairOptions)), ", "))
		}
	})
	if err != nil {
		return err
	}
	if v, ok := given["profile"]; ok {
		var name string
		if err := oneOf(v, &name, impair.Profiles()...); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		text := c.Filter
		c.Options, _ = impair.Profile(name)
		c.Filter = text
		delete(given, "profile")
	}
	if given["loss"] != nil || given["gilbert"] != nil {
		c.Loss, c.Burst, c.Gilbert = 0, 0, nil // how the profile loses says nothing about others
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := impairOptions[name].set(given[name], c); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// An impairOption is one key of what impair takes. What its value may be beyond its
// type is for package impair to say.
type impairOption struct {
	typ, doc string
	set      func(v lua.LValue, c *engine.ImpairConfig) error
}

// impairOptions are all of them.
var impairOptions = map[string]impairOption{
	"device":    {"device.name|device.name[]", "the links that are bad; all of the script's if not given", impairDevices},
	"profile":   {quoted(impair.Profiles()), "a link by name, for what is not given", nil},
	"direction": impairWord("which way: from the devices, to them, or both, each packet once", func(c *engine.ImpairConfig) *impair.Direction { return &c.Direction }, impair.Both, impair.In, impair.Out),
	"at":        impairTime("from so many seconds from now on", func(c *engine.ImpairConfig) *time.Duration { return &c.At }),
	"for_":      impairTime("for so many seconds", func(c *engine.ImpairConfig) *time.Duration { return &c.For }),
	"every":     impairTime("and again every so many seconds", func(c *engine.ImpairConfig) *time.Duration { return &c.Every }),

	"blackhole": impairFlag("nothing passes", func(c *engine.ImpairConfig) *bool { return &c.Blackhole }),
	"loss":      impairNumber("probability that a packet is lost", func(c *engine.ImpairConfig) *float64 { return &c.Loss }),
	"burst":     impairNumber("packets in a row that loss takes, in the mean", func(c *engine.ImpairConfig) *float64 { return &c.Burst }),
	"gilbert":   {"impair.gilbert", "losses of a link that is good or bad, in place of loss", impairGilbert},
	"mtu":       impairWhole("bytes of the largest IP packet that passes; larger ones vanish", func(c *engine.ImpairConfig) *int { return &c.MTU }),

	"delay":        impairTime("seconds that a packet is on its way", func(c *engine.ImpairConfig) *time.Duration { return &c.Delay }),
	"jitter":       impairTime("seconds by which delay goes up and down", func(c *engine.ImpairConfig) *time.Duration { return &c.Jitter }),
	"distribution": impairWord("of the jitter, which for the last two is a standard deviation", func(c *engine.ImpairConfig) *impair.Distribution { return &c.Distribution }, impair.Uniform, impair.Normal, impair.Pareto),
	"keep_order":   impairFlag("packets do not overtake one another, whatever the jitter", func(c *engine.ImpairConfig) *bool { return &c.KeepOrder }),
	"reorder":      impairNumber("probability that a packet skips the delay", func(c *engine.ImpairConfig) *float64 { return &c.Reorder }),
	"gap":          impairWhole("only every so many packets skip the delay; without reorder, they all do", func(c *engine.ImpairConfig) *int { return &c.Gap }),
	"rate":         {"number|string", `bits per second, or text such as "10Mbit"; with several workers those of each worker's packets`, impairRate},
	"queue":        impairWhole("bytes that wait for the rate before packets are dropped; 100 ms of it if not given", func(c *engine.ImpairConfig) *int { return &c.Queue }),

	"duplicate":    impairNumber("probability that a packet comes twice", func(c *engine.ImpairConfig) *float64 { return &c.Duplicate }),
	"corrupt":      impairNumber("probability that a bit is another one, and checksums do not follow", func(c *engine.ImpairConfig) *float64 { return &c.Corrupt }),
	"corrupt_unit": impairWord("what corrupt changes", func(c *engine.ImpairConfig) *impair.Unit { return &c.CorruptUnit }, impair.Bit, impair.Byte),
	"corrupt_part": impairWord("where corrupt hits", func(c *engine.ImpairConfig) *impair.Part { return &c.CorruptPart }, impair.Anywhere, impair.Header, impair.Payload),
	"mend":         impairFlag("the payload is corrupted and checksums follow, so that the damage is delivered", func(c *engine.ImpairConfig) *bool { return &c.Mend }),
	"truncate":     impairNumber("probability that the end of a packet is missing", func(c *engine.ImpairConfig) *float64 { return &c.Truncate }),
	"truncate_to":  impairWhole("bytes of the IP packet that stay; drawn for each if not given", func(c *engine.ImpairConfig) *int { return &c.TruncateTo }),
}

func impairNumber(doc string, to func(*engine.ImpairConfig) *float64) impairOption {
	return impairOption{"number", doc, func(v lua.LValue, c *engine.ImpairConfig) error { return anyNumber(v, to(c)) }}
}

func anyNumber(v lua.LValue, to *float64) error {
	n, ok := v.(lua.LNumber)
	if !ok {
		return fmt.Errorf("want a number, got %s", describe(v))
	}
	*to = float64(n)
	return nil
}

func impairWhole(doc string, to func(*engine.ImpairConfig) *int) impairOption {
	return impairOption{"integer", doc, func(v lua.LValue, c *engine.ImpairConfig) error {
		n, err := whole(v, math.MaxInt32)
		*to(c) = int(n)
		return err
	}}
}

func impairFlag(doc string, to func(*engine.ImpairConfig) *bool) impairOption {
	return impairOption{"boolean", doc, func(v lua.LValue, c *engine.ImpairConfig) error {
		b, ok := v.(lua.LBool)
		if !ok {
			return fmt.Errorf("want true or false, got %s", describe(v))
		}
		*to(c) = bool(b)
		return nil
	}}
}

func impairTime(doc string, to func(*engine.ImpairConfig) *time.Duration) impairOption {
	return impairOption{"number", doc, func(v lua.LValue, c *engine.ImpairConfig) error {
		n, ok := v.(lua.LNumber)
		if !ok || !(n >= 0 && n <= 1e9) {
			return fmt.Errorf("want seconds from 0 to 1e9, got %s", describe(v))
		}
		*to(c) = time.Duration(math.Round(float64(n) * 1e9))
		return nil
	}}
}

func impairWord[W ~string](doc string, to func(*engine.ImpairConfig) *W, allowed ...W) impairOption {
	var list []string
	for _, w := range allowed {
		list = append(list, string(w))
	}
	return impairOption{quoted(list), doc, func(v lua.LValue, c *engine.ImpairConfig) error {
		var word string
		err := oneOf(v, &word, list...)
		*to(c) = W(word)
		return err
	}}
}

// quoted is a type of LuaLS: one of these words.
func quoted(list []string) string { return `"` + strings.Join(list, `"|"`) + `"` }

func impairDevices(v lua.LValue, c *engine.ImpairConfig) error {
	list, ok := v.(*lua.LTable)
	if !ok {
		c.Devices = []string{""}
		return text(v, &c.Devices[0])
	}
	for i := 1; i <= list.Len(); i++ {
		var name string
		if err := text(list.RawGetInt(i), &name); err != nil {
			return err
		}
		c.Devices = append(c.Devices, name)
	}
	if len(c.Devices) == 0 {
		return errors.New("the list is empty: leave it out for all devices")
	}
	return nil
}

// impairUnits are those of a rate, as in the configuration file.
var impairUnits = map[string]float64{"bit": 1, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9}

func impairRate(v lua.LValue, c *engine.ImpairConfig) error {
	rate, unit := 0.0, "bit"
	switch v := v.(type) {
	case lua.LNumber:
		rate = float64(v)
	case lua.LString:
		s := strings.TrimSpace(string(v))
		end := strings.LastIndexAny(s, "0123456789.") + 1
		unit = strings.ToLower(strings.TrimSpace(s[end:]))
		var err error
		if rate, err = strconv.ParseFloat(s[:end], 64); err != nil || impairUnits[unit] == 0 {
			return fmt.Errorf("want a number and bit, kbit, Mbit or Gbit, as in \"10Mbit\", got %s", describe(v))
		}
	default:
		return fmt.Errorf("want bits per second, or text as in \"10Mbit\", got %s", describe(v))
	}
	if rate *= impairUnits[unit]; !(rate >= 1 && rate <= 1e12) {
		return fmt.Errorf("want 1 to 1e12 bits per second, got %s", describe(v))
	}
	c.Rate = int64(rate)
	return nil
}

// gilbertOptions are the keys of gilbert.
var gilbertOptions = map[string]struct {
	doc string
	of  func(g *impair.Gilbert) *float64
}{
	"p":    {"probability that a good link turns bad", func(g *impair.Gilbert) *float64 { return &g.P }},
	"r":    {"probability that a bad link turns good", func(g *impair.Gilbert) *float64 { return &g.R }},
	"good": {"loss while good; 0 if not given", func(g *impair.Gilbert) *float64 { return &g.Good }},
	"bad":  {"loss while bad; 1 if not given", func(g *impair.Gilbert) *float64 { return &g.Bad }},
}

func impairGilbert(v lua.LValue, c *engine.ImpairConfig) (err error) {
	t, ok := v.(*lua.LTable)
	if !ok {
		return fmt.Errorf("want a table, as in { p = 0.01, r = 0.25 }, got %s", describe(v))
	}
	g := &impair.Gilbert{Bad: 1}
	t.ForEach(func(key, v lua.LValue) {
		name, _ := key.(lua.LString)
		option, ok := gilbertOptions[string(name)]
		switch {
		case err != nil:
		case !ok:
			err = fmt.Errorf("there is no option %v%s", optionName(key), didYouMean(string(name), gilbertOptions))
		default:
			if e := anyNumber(v, option.of(g)); e != nil {
				err = fmt.Errorf("%s: %w", name, e)
			}
		}
	})
	c.Gilbert = g
	return err
}

// impairClasses are the tables that impair takes, for the reference.
func impairClasses() []Class {
	gilbert := Class{Name: "impair.gilbert", Kind: Table, Doc: "losses of a link that is good or bad (Gilbert and Elliott)"}
	for name, o := range gilbertOptions {
		gilbert.Fields = append(gilbert.Fields, Field{Name: name, Type: "number", Doc: o.doc, Writable: true})
	}
	sortFields(gilbert.Fields)
	return []Class{gilbert, {Name: "impair.options", Kind: Table, Doc: "what impair takes; the filter stands first, without a name",
		Fields: fieldsOf(impairOptions, func(o impairOption) (string, string) { return o.typ, o.doc })}}
}
