package lib_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/internal/testrun"
)

// TCP, segment by segment, on the virtual clock.
func TestTCPExchanges(t *testing.T) {
	results, err := testrun.Run([]string{"testdata/tcp_test.lua"}, testrun.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		t.Run(r.Name, func(t *testing.T) {
			if r.Err != nil {
				t.Errorf("%v\n%s", r.Err, strings.Join(r.Log, "\n"))
			}
		})
	}
}
