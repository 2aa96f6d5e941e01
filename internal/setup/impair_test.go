package setup_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/setup"
)

func TestFaults(t *testing.T) {
	flaky, _ := impair.Profile("flaky")
	quiet, sure, other := flaky, flaky, flaky
	quiet.Loss, quiet.Burst, quiet.Duplicate, quiet.Corrupt = 0, 0, 0, 0
	sure.Loss, sure.Burst, sure.Filter = 0.5, 0, "udp"
	other.Loss, other.Burst, other.Gilbert = 0, 0, &impair.Gilbert{P: 0.1, R: 0.5, Bad: 1}
	for _, tt := range []struct {
		toml string
		want impair.Options
	}{
		{`loss = 0.1`, impair.Options{Loss: 0.1}},
		{`delay = "40ms"
		  jitter = "10ms"
		  direction = "in"
		  rate = "1Mbit"
		  queue = "4KiB"`, impair.Options{Delay: 40 * time.Millisecond, Jitter: 10 * time.Millisecond, Direction: impair.In, Rate: 1_000_000, Queue: 4096}},
		{`blackhole = true
		  at = "5s"
		  for = "2s"
		  every = "10s"`, impair.Options{Blackhole: true, At: 5 * time.Second, For: 2 * time.Second, Every: 10 * time.Second}},
		{`gilbert = { p = 0.1, r = 0.5 }`, impair.Options{Gilbert: &impair.Gilbert{P: 0.1, R: 0.5, Bad: 1}}},
		{`profile = "flaky"`, flaky},
		{`profile = "flaky"
		  loss = 0
		  duplicate = 0
		  corrupt = 0`, quiet},
		{`profile = "flaky"
		  loss = 0.5
		  filter = "udp"`, sure},
		{`profile = "flaky"
		  gilbert = { p = 0.1, r = 0.5 }`, other},
	} {
		c := configure(t, map[string]string{"config.toml": device + "[[impair]]\n" + tt.toml + "\n"})
		got := setup.Faults(c)[0].Options
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.toml, diff)
		}
		if _, err := impair.New(got); err != nil {
			t.Errorf("%s: %v", tt.toml, err)
		}
	}
}

// The example of everything asks for nothing that cannot be.
func TestFaultsOfTheExample(t *testing.T) {
	data, err := os.ReadFile("../../config.toml.example")
	if err != nil {
		t.Fatal(err)
	}
	every := regexp.MustCompile(`(?m)^#(\S)`).ReplaceAll(data, []byte("$1"))
	c, err := config.Parse("config.toml.example", every)
	if err != nil {
		t.Fatal(err)
	}
	faults := setup.Faults(c)
	for _, f := range faults {
		if _, err := impair.New(f.Options); err != nil {
			t.Error(err)
		}
	}
	if len(faults) < 4 {
		t.Errorf("%d bad links, want them all", len(faults))
	}
}

// The file and package impair have the same faults and the same profiles.
func TestFaultsAreAllOfThem(t *testing.T) {
	file, options := reflect.TypeFor[config.Impair](), reflect.TypeFor[impair.Options]()
	for i := range options.NumField() {
		name := options.Field(i).Name
		if _, ok := file.FieldByName(name); !ok && name != "Match" {
			t.Errorf("no key for %s", name)
		}
	}
	profile, _ := file.FieldByName("Profile")
	if got, want := profile.Tag.Get("oneof"), strings.Join(impair.Profiles(), " "); got != want {
		t.Errorf("profiles in the file: %s, want %s", got, want)
	}
}
