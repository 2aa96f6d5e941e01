package impair

import (
	"slices"
	"time"
)

// A profile is a link by name. Delay is one way, half the round trip of its source.
// Rate is that of the way down, in both directions: who wants another one for the way
// up makes two rules of it.
type profile struct {
	name    string
	options Options
}

const (
	kbit = 1000
	mbit = 1000 * kbit
)

func profiles() []profile {
	return []profile{
		// WebPageTest's "3G" (1.6 Mbit/s, 300 ms round trip), its settings/connectivity.ini;
		// loss is comcast's (github.com/tylertreat/comcast, README, "3G/HSDPA (good)").
		{"3g", Options{Delay: 150 * time.Millisecond, Jitter: 20 * time.Millisecond, KeepOrder: true, Loss: 0.015, Rate: 1600 * kbit, Queue: 64 << 10}},
		// WebPageTest's "LTE": 12 Mbit/s, 70 ms round trip.
		{"lte", Options{Delay: 35 * time.Millisecond, Jitter: 5 * time.Millisecond, KeepOrder: true, Rate: 12 * mbit}},
		// WebPageTest's "DSL": 1.5 Mbit/s, 50 ms round trip; comcast's loss for "DSL (good)".
		{"dsl", Options{Delay: 25 * time.Millisecond, Loss: 0.005, Rate: 1500 * kbit}},
		// comcast's "WIFI (good)": 30 Mbit/s, 0.2%; the 2 ms of Firefox's throttling,
		// as comcast's 40 ms count the way behind the access point, too.
		{"wifi", Options{Delay: 2 * time.Millisecond, Jitter: time.Millisecond, Distribution: Pareto, KeepOrder: true, Loss: 0.002, Rate: 30 * mbit}},
		// A geostationary satellite: 279 ms one way at the edge of its footprint (RFC
		// 2488 section 2); comcast's loss for "Satellite".
		{"satellite", Options{Delay: 279 * time.Millisecond, Loss: 0.002}},
		// Our own, nobody's measurement: everything that a protocol must stand, often
		// enough to be seen within a hundred packets.
		{"flaky", Options{Delay: 50 * time.Millisecond, Jitter: 30 * time.Millisecond, Distribution: Normal,
			Loss: 0.05, Burst: 3, Duplicate: 0.01, Corrupt: 0.01}},
	}
}

// Profile returns the options of a link by name, such as "3g", to be used as they
// are or changed; false if there is none of that name.
func Profile(name string) (Options, bool) {
	all := profiles()
	i := slices.IndexFunc(all, func(p profile) bool { return p.name == name })
	if i < 0 {
		return Options{}, false
	}
	return all[i].options, true
}

// Profiles are the names that Profile knows.
func Profiles() []string {
	var names []string
	for _, p := range profiles() {
		names = append(names, p.name)
	}
	return names
}
