package impair_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/impair"
)

func TestMistakes(t *testing.T) {
	for _, tt := range []struct {
		o      impair.Options
		option string
		want   string // in the message
	}{
		{impair.Options{}, "", "it changes nothing: add loss, delay"},
		{impair.Options{Loss: -0.1}, "loss", "takes 0 to 1"},
		{impair.Options{Loss: 10}, "loss", "did you mean 0.1 (10%)?"},
		{impair.Options{Loss: math.NaN()}, "loss", "takes 0 to 1"},
		{impair.Options{Corrupt: 101}, "corrupt", "takes 0 to 1"},
		{impair.Options{Delay: -1}, "delay", "0 or more"},
		{impair.Options{Delay: 2 * time.Hour}, "delay", "1h0m0s at most"},
		{impair.Options{Loss: 1, At: -1}, "at", "0 or more"},
		{impair.Options{Rate: -1}, "rate", "out of range"},
		{impair.Options{MTU: 70_000}, "mtu", "0 to 65575"},
		{impair.Options{Loss: 1, Direction: "up"}, "direction", "in, out or both"},
		{impair.Options{Jitter: 1, Distribution: "gauss"}, "distribution", "uniform, normal or pareto"},
		{impair.Options{Corrupt: 1, CorruptUnit: "word"}, "corrupt_unit", "bit or byte"},
		{impair.Options{Corrupt: 1, CorruptPart: "tail"}, "corrupt_part", "packet, header or payload"},
		{impair.Options{Loss: 1, Every: time.Second}, "every", "add for_"},
		{impair.Options{Loss: 1, For: time.Second, Every: time.Second}, "every", "make it longer"},
		{impair.Options{Gilbert: &impair.Gilbert{P: 2}}, "gilbert.p", "0 to 1"},
		{impair.Options{Gilbert: &impair.Gilbert{P: 0.1, R: 0.1, Bad: 1}, Loss: 0.1}, "gilbert", "leave loss and burst out"},
		{impair.Options{Delay: 1, Burst: 3}, "burst", "add loss"},
		{impair.Options{Loss: 0.1, Burst: 0.5}, "burst", "it takes 1"},
		{impair.Options{Loss: 0.9, Burst: 2}, "burst", "it takes 9 or more"},
		{impair.Options{Loss: 1, Burst: 2}, "burst", "leave burst out"},
		{impair.Options{Reorder: 0.1}, "reorder", "add delay"},
		{impair.Options{Loss: 0.1, Gap: 5}, "reorder", "add delay"},
		{impair.Options{Delay: 1, Distribution: "normal"}, "distribution", "add jitter"},
		{impair.Options{Delay: 1, KeepOrder: true}, "keep_order", "leave it out"},
		{impair.Options{Delay: 1, Queue: 10}, "queue", "add rate"},
		{impair.Options{Delay: 1, CorruptUnit: "byte"}, "corrupt_unit", "add corrupt"},
		{impair.Options{Delay: 1, Mend: true}, "mend", "add corrupt"},
		{impair.Options{Corrupt: 1, Mend: true, CorruptPart: "header"}, "mend", "leave corrupt_part out"},
		{impair.Options{Delay: 1, TruncateTo: 10}, "truncate_to", "add truncate"},
	} {
		_, err := impair.New(tt.o)
		var oe *impair.OptionError
		if !errors.As(err, &oe) || oe.Option != tt.option || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v:\n\tgot  %v\n\twant %s: ... %s", tt.o, err, tt.option, tt.want)
		}
	}
}

// Every profile is a link that can be made, and one that does something.
func TestProfiles(t *testing.T) {
	for _, name := range impair.Profiles() {
		o, ok := impair.Profile(name)
		if !ok {
			t.Errorf("%s is on the list, and unknown", name)
		}
		l, c, p := rule(t, o).Link(), chance(1), datagram(t, 1000)
		if d := l.Decide(p, start, c); d.Drop == "" && d.Delay == 0 {
			t.Errorf("%s is a perfect link", name)
		}
	}
	if _, ok := impair.Profile("5g"); ok {
		t.Error("5g is a profile")
	}
}
