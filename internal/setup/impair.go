package setup

import (
	"errors"
	"fmt"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/internal/config"
)

// Faults are the bad links of c, as the engine takes them.
func Faults(c *config.Config) []engine.ImpairConfig {
	var all []engine.ImpairConfig
	for i, f := range c.Impair {
		all = append(all, engine.ImpairConfig{Devices: f.Devices, Options: faultOptions(c, faultKey(i), f)})
	}
	return all
}

func faultKey(i int) string { return fmt.Sprintf("impair[%d]", i+1) }

// faultOptions are those of the profile, if there is one, where f says nothing else.
func faultOptions(c *config.Config, key string, f config.Impair) impair.Options {
	o, _ := impair.Profile(f.Profile) // the decoder knows the names
	none := config.DefaultImpair()
	o.Filter = f.Filter
	set(c, key+".direction", &o.Direction, impair.Direction(f.Direction), impair.Direction(none.Direction))
	set(c, key+".at", &o.At, f.At, none.At)
	set(c, key+".for", &o.For, f.For, none.For)
	set(c, key+".every", &o.Every, f.Every, none.Every)
	set(c, key+".blackhole", &o.Blackhole, f.Blackhole, none.Blackhole)
	set(c, key+".mtu", &o.MTU, f.MTU, none.MTU)
	set(c, key+".delay", &o.Delay, f.Delay, none.Delay)
	set(c, key+".jitter", &o.Jitter, f.Jitter, none.Jitter)
	set(c, key+".distribution", &o.Distribution, impair.Distribution(f.Distribution), impair.Distribution(none.Distribution))
	set(c, key+".keep_order", &o.KeepOrder, f.KeepOrder, none.KeepOrder)
	set(c, key+".reorder", &o.Reorder, f.Reorder, none.Reorder)
	set(c, key+".gap", &o.Gap, f.Gap, none.Gap)
	set(c, key+".rate", &o.Rate, int64(f.Rate), int64(none.Rate))
	set(c, key+".queue", &o.Queue, int(f.Queue), int(none.Queue))
	set(c, key+".duplicate", &o.Duplicate, f.Duplicate, none.Duplicate)
	set(c, key+".corrupt", &o.Corrupt, f.Corrupt, none.Corrupt)
	set(c, key+".corrupt_unit", &o.CorruptUnit, impair.Unit(f.CorruptUnit), impair.Unit(none.CorruptUnit))
	set(c, key+".corrupt_part", &o.CorruptPart, impair.Part(f.CorruptPart), impair.Part(none.CorruptPart))
	set(c, key+".mend", &o.Mend, f.Mend, none.Mend)
	set(c, key+".truncate", &o.Truncate, f.Truncate, none.Truncate)
	set(c, key+".truncate_to", &o.TruncateTo, f.TruncateTo, none.TruncateTo)
	if set(c, key+".loss", &o.Loss, f.Loss, none.Loss) {
		o.Burst = 0 // how the profile's losses come says nothing about others
	}
	set(c, key+".burst", &o.Burst, f.Burst, none.Burst)
	if g := f.Gilbert; g.Asked() {
		if !c.Says(key + ".loss") {
			o.Loss, o.Burst = 0, 0
		}
		o.Gilbert = &impair.Gilbert{P: g.P, R: g.R, Good: g.Good, Bad: g.Bad}
	}
	return o
}

// set writes v if the file says it, a 0 included, or, in a Config that was made in
// Go, if it is not the default.
func set[T comparable](c *config.Config, key string, to *T, v, none T) bool {
	if v == none && !c.Says(key) {
		return false
	}
	*to = v
	return true
}

// faultMistakes are the bad links that cannot be, at the key that says so.
func faultMistakes(c *config.Config) (all config.Errors) {
	for i, f := range Faults(c) {
		_, err := impair.New(f.Options)
		var oe *impair.OptionError
		if !errors.As(err, &oe) {
			continue
		}
		key := faultKey(i)
		switch oe.Option {
		case "":
		case "for_": // a word of Lua's, but not of TOML's
			key += ".for"
		default:
			key += "." + oe.Option
		}
		all = append(all, c.Mistake(key, oe.Err))
	}
	return all
}
