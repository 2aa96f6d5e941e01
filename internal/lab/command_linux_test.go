package lab_test

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/tunscript/tunscript/internal/lab"
)

func TestTheEndOfTheContextEndsTheCommand(t *testing.T) {
	for _, c := range []struct {
		script string
		want   int
		least  time.Duration
	}{
		{"exec sleep 60", 128 + 15, 0},
		{"trap 'exit 3' TERM; while :; do sleep 0.01; done", 3, 0},
		{"trap '' TERM; while :; do sleep 0.01; done", 128 + 9, 2 * time.Second},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		start := time.Now()
		status, err := lab.Command{Args: []string{"sh", "-c", c.script}}.Run(ctx)
		cancel()
		took := time.Since(start)
		if status != c.want || err != nil || took < c.least || took > c.least+time.Second {
			t.Errorf("%s: status %d, %v after %v; want %d", c.script, status, err, took, c.want)
		}
	}
}

func TestABackgroundCommandIsStopped(t *testing.T) {
	p, err := lab.Command{Args: []string{"cat"}, Background: true}.Start() // reads the end of nothing
	if err != nil {
		t.Fatal(err)
	}
	if status, err := p.Wait(); status != 0 || err != nil {
		t.Errorf("cat: status %d, %v", status, err)
	}
	p, err = lab.Command{Args: []string{"sleep", "60"}, Background: true}.Start()
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	p.Stop()
	if status, err := p.Wait(); status != 128+15 || err != nil {
		t.Errorf("sleep: status %d, %v", status, err)
	}
}

func TestACommandThatIsNotThere(t *testing.T) {
	_, err := lab.Command{Args: []string{"no-such-program"}}.Start()
	if !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
