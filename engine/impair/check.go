package impair

import (
	"fmt"
	"time"
)

// An OptionError says which option cannot be what it is, and what would be right.
type OptionError struct {
	Option string // as it is spelled in scripts and files: "loss"; "" if it is about all of them
	Err    error
}

func (e *OptionError) Error() string {
	if e.Option == "" {
		return fmt.Sprintf("impair: %v", e.Err)
	}
	return fmt.Sprintf("impair: %s: %v", e.Option, e.Err)
}

func (e *OptionError) Unwrap() error { return e.Err }

func wrong(option, format string, args ...any) error {
	return &OptionError{option, fmt.Errorf(format, args...)}
}

// Limits of the options.
const (
	MaxDelay = time.Hour // of Delay and of Jitter
	MaxMTU   = 65575     // an IPv6 packet with the largest payload
	MaxQueue = 1 << 31   // bytes
	MaxBurst = 1e6       // packets
)

// Check reports the first mistake, without its filter, as an [*OptionError].
func (o *Options) Check() error {
	for _, check := range []func() error{o.checkRanges, o.checkWords, o.checkWindow, o.checkLoss, o.checkTogether} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) checkRanges() error {
	for _, p := range []struct {
		name string
		v    float64
	}{
		{"loss", o.Loss}, {"reorder", o.Reorder}, {"duplicate", o.Duplicate},
		{"corrupt", o.Corrupt}, {"truncate", o.Truncate},
	} {
		if err := probability(p.name, p.v); err != nil {
			return err
		}
	}
	for _, d := range []struct {
		name    string
		v, most time.Duration
	}{
		{"delay", o.Delay, MaxDelay}, {"jitter", o.Jitter, MaxDelay},
		{"at", o.At, 0}, {"for_", o.For, 0}, {"every", o.Every, 0},
	} {
		switch {
		case d.v < 0:
			return wrong(d.name, "%v is negative: it takes 0 or more", d.v)
		case d.most > 0 && d.v > d.most:
			return wrong(d.name, "%v is too long: it takes %v at most", d.v, d.most)
		}
	}
	for _, n := range []struct {
		name string
		v    int64
		most int64
	}{
		{"mtu", int64(o.MTU), MaxMTU}, {"truncate_to", int64(o.TruncateTo), MaxMTU},
		{"gap", int64(o.Gap), 1 << 30}, {"queue", int64(o.Queue), MaxQueue}, {"rate", o.Rate, 1 << 40},
	} {
		if n.v < 0 || n.v > n.most {
			return wrong(n.name, "%d is out of range: it takes 0 to %d", n.v, n.most)
		}
	}
	return nil
}

// probability refuses what is none, a NaN included.
func probability(name string, v float64) error {
	switch {
	case v >= 0 && v <= 1:
		return nil
	case v > 1 && v <= 100:
		return wrong(name, "%v is out of range, 0 to 1: did you mean %v (%v%%)?", v, v/100, v)
	}
	return wrong(name, "%v is out of range: it takes 0 to 1", v)
}

func (o *Options) checkWords() error {
	switch o.Direction {
	case "", Both, In, Out:
	default:
		return wrong("direction", "%q is no direction: it takes in, out or both", o.Direction)
	}
	switch o.Distribution {
	case "", Uniform, Normal, Pareto:
	default:
		return wrong("distribution", "%q is none that is known: it takes uniform, normal or pareto", o.Distribution)
	}
	switch o.CorruptUnit {
	case "", Bit, Byte:
	default:
		return wrong("corrupt_unit", "%q is no unit: it takes bit or byte", o.CorruptUnit)
	}
	switch o.CorruptPart {
	case "", Anywhere, Header, Payload:
	default:
		return wrong("corrupt_part", "%q is no part of a packet: it takes packet, header or payload", o.CorruptPart)
	}
	return nil
}

func (o *Options) checkWindow() error {
	switch {
	case o.Every > 0 && o.For == 0:
		return wrong("every", "a window that is to come again needs an end: add for_")
	case o.Every > 0 && o.Every <= o.For:
		return wrong("every", "%v is not longer than the window of %v: leave for_ and every out, or make it longer", o.Every, o.For)
	}
	return nil
}

func (o *Options) checkLoss() error {
	if g := o.Gilbert; g != nil {
		for _, p := range []struct {
			name string
			v    float64
		}{{"gilbert.p", g.P}, {"gilbert.r", g.R}, {"gilbert.good", g.Good}, {"gilbert.bad", g.Bad}} {
			if err := probability(p.name, p.v); err != nil {
				return err
			}
		}
		if o.Loss > 0 || o.Burst > 0 {
			return wrong("gilbert", "it says all about losses: leave loss and burst out")
		}
	}
	if o.Burst == 0 {
		return nil
	}
	switch {
	case !(o.Burst >= 1 && o.Burst <= MaxBurst):
		return wrong("burst", "%v is out of range: it takes 1 to %v packets", o.Burst, float64(MaxBurst))
	case o.Loss == 0:
		return wrong("burst", "it says how losses come, and there are none: add loss")
	case o.Loss == 1:
		return wrong("burst", "where loss is 1 there is nothing between bursts: leave burst out")
	case o.Loss > o.Burst*(1-o.Loss):
		return wrong("burst", "for a loss of %v at least one packet between two bursts must pass: it takes %.3g or more", o.Loss, o.Loss/(1-o.Loss))
	}
	return nil
}

// checkTogether finds options that mean nothing without others.
func (o *Options) checkTogether() error {
	for _, c := range []struct {
		option string
		bad    bool
		remedy string
	}{
		{"reorder", (o.Reorder > 0 || o.Gap > 0) && o.Delay+o.Jitter == 0, "packets jump ahead of those that are delayed, and none is: add delay"},
		{"distribution", (o.Distribution == Normal || o.Distribution == Pareto) && o.Jitter == 0, "it says how the jitter is spread, and there is none: add jitter"},
		{"keep_order", o.KeepOrder && o.Jitter == 0, "without jitter packets keep their order: leave it out"},
		{"queue", o.Queue > 0 && o.Rate == 0, "nothing waits where there is no rate: add rate"},
		{"corrupt_unit", o.CorruptUnit == Byte && o.Corrupt == 0, "nothing is corrupted: add corrupt"},
		{"corrupt_part", (o.CorruptPart == Header || o.CorruptPart == Payload) && o.Corrupt == 0, "nothing is corrupted: add corrupt"},
		{"mend", o.Mend && o.Corrupt == 0, "nothing is corrupted: add corrupt"},
		{"mend", o.Mend && o.CorruptPart == Header, "a header whose checksum is right is another header, not a damaged one: leave corrupt_part out"},
		{"truncate_to", o.TruncateTo > 0 && o.Truncate == 0, "nothing is truncated: add truncate"},
		{"", !o.anything(), "it changes nothing: add loss, delay, rate, duplicate, corrupt, truncate, mtu or blackhole"},
	} {
		if c.bad {
			return wrong(c.option, "%s", c.remedy)
		}
	}
	return nil
}

// anything reports that there is a fault at all.
func (o *Options) anything() bool {
	return o.Blackhole || o.Gilbert != nil || o.Delay+o.Jitter > 0 || o.Rate > 0 || o.MTU > 0 ||
		o.Loss+o.Duplicate+o.Corrupt+o.Truncate > 0
}
