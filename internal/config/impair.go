package config

import "time"

// Impair is one [[impair]]: a bad link without a script. Loss, Reorder, Duplicate,
// Corrupt and Truncate are probabilities.
type Impair struct {
	Devices []string `toml:"devices"`                                         // empty: all
	Filter  string   `toml:"filter"`                                          // as in pcap-filter(7); empty: every packet
	Profile string   `toml:"profile" oneof:"3g lte dsl wifi satellite flaky"` // what other keys do not say; empty: none

	Direction string        `toml:"direction" oneof:"both in out"`
	At        time.Duration `toml:"at"`
	For       time.Duration `toml:"for"` // 0: for ever
	Every     time.Duration `toml:"every"`

	Blackhole bool    `toml:"blackhole"`
	Loss      float64 `toml:"loss" range:"0..1"`
	Burst     float64 `toml:"burst" range:"0..1000000"` // packets; 0: each on its own
	Gilbert   Gilbert `toml:"gilbert"`
	MTU       int     `toml:"mtu" range:"0..65575"` // 0: no limit

	Delay        time.Duration `toml:"delay"`
	Jitter       time.Duration `toml:"jitter"`
	Distribution string        `toml:"distribution" oneof:"uniform normal pareto"`
	KeepOrder    bool          `toml:"keep_order"`
	Reorder      float64       `toml:"reorder" range:"0..1"`
	Gap          int           `toml:"gap" range:"0..1000000000"`
	Rate         Rate          `toml:"rate"`                        // 0: no limit
	Queue        Size          `toml:"queue" range:"0..2147483648"` // 0: 100 ms of Rate

	Duplicate   float64 `toml:"duplicate" range:"0..1"`
	Corrupt     float64 `toml:"corrupt" range:"0..1"`
	CorruptUnit string  `toml:"corrupt_unit" oneof:"bit byte"`
	CorruptPart string  `toml:"corrupt_part" oneof:"packet header payload"`
	Mend        bool    `toml:"mend"`
	Truncate    float64 `toml:"truncate" range:"0..1"`
	TruncateTo  int     `toml:"truncate_to" range:"0..65575"` // bytes; 0: drawn for each
}

// Gilbert is the gilbert of an [[impair]]: losses of a link that is good or bad.
type Gilbert struct {
	P    float64 `toml:"p" range:"0..1"` // that a good link turns bad
	R    float64 `toml:"r" range:"0..1"` // that a bad one turns good
	Good float64 `toml:"good" range:"0..1"`
	Bad  float64 `toml:"bad" range:"0..1"`
}

// Asked reports whether there are losses by it.
func (g Gilbert) Asked() bool { return g.P > 0 || g.Good > 0 }

// DefaultImpair returns an [[impair]] in which nothing is written.
func DefaultImpair() Impair {
	return Impair{
		Direction: "both", Distribution: "uniform", CorruptUnit: "bit", CorruptPart: "packet",
		Gilbert: Gilbert{Bad: 1},
	}
}

// faulty reports whether f asks for any fault. How the faults go together is for
// package impair to say.
func (f *Impair) faulty() bool {
	return f.Profile != "" || f.Blackhole || f.Gilbert.Asked() || f.MTU > 0 || f.Rate > 0 || f.Delay+f.Jitter > 0 ||
		f.Loss+f.Reorder+f.Duplicate+f.Corrupt+f.Truncate > 0 || f.Gap > 0
}

func (k *checker) impair() {
	for i, f := range k.c.Impair {
		key := elem("impair", i+1)
		if !k.fine(key) {
			continue
		}
		k.devices(key+".devices", f.Devices)
		if !f.faulty() && k.untouched(key+".") {
			k.wrong(key, "add loss, delay, rate, duplicate, corrupt, truncate, mtu, blackhole or profile", "changes nothing")
		}
	}
}
