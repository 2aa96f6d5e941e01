package link_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/tundev/link"
)

// Every count of something that went wrong has one word, made of its name.
func TestCountsHaveWords(t *testing.T) {
	var s link.Stats
	v := reflect.ValueOf(&s).Elem()
	capital := regexp.MustCompile(`\B[A-Z]`)
	var want []string
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).Kind() == reflect.Uint64 && !slices.Contains([]string{"Peers", "Received", "Sent"}, name) {
			v.Field(i).SetUint(uint64(100 + i))
			want = append(want, fmt.Sprint(strings.ToLower(capital.ReplaceAllString(name, "_$0")), " ", 100+i))
		}
	}
	var got []string
	for _, c := range slices.Concat(s.Lost(), s.Parted()) {
		got = append(got, fmt.Sprint(c.Word, " ", c.N))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What the log says of a peer that is gone has the same words.
func TestTheLogHasTheWords(t *testing.T) {
	leaks(t)
	var log bytes.Buffer // read when the link is closed
	w := open(t, link.Config{
		Kind: link.TCP, Local: anyPort, Stall: 50 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}, nil)
	c := dial(t, w)
	c.Write(slices.Concat(frame(nil), frame(udp(1501, 1)), frame([]byte{0x50}), frame([]byte{0x50}), frame(udp(100, 2))[:9]))
	w.until("a peer that stalled", func(s link.Stats) bool { return s.Stalled == 1 && s.Peer == "" })
	w.send(udp(100, 3)) // to nobody
	w.until("a packet dropped", func(s link.Stats) bool { return s.Dropped == 1 })
	s := w.dev.Stats()
	w.close()
	var line string
	for l := range strings.Lines(log.String()) {
		if strings.Contains(l, `"peer is gone"`) {
			line = l
		}
	}
	s.Dropped = 0 // later
	for _, c := range slices.Concat(s.Lost(), s.Parted()) {
		if has := strings.Contains(line, fmt.Sprintf(" %s=%d", c.Word, c.N)); has != (c.N > 0) {
			t.Errorf("%s: %s=%d stands there: %t", line, c.Word, c.N, has)
		}
	}
	if s.Empty != 1 || s.TooBig != 1 || s.Malformed != 2 || s.Stalled != 1 {
		t.Errorf("%+v", s)
	}
}

// Datagrams that only say that somebody is there are nothing that went wrong.
func TestGreetingsAreNotCounted(t *testing.T) {
	leaks(t)
	w := open(t, link.Config{Kind: link.UDP, Local: anyPort}, nil)
	c, err := net.Dial("udp", w.dev.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		c.Write(nil)
	}
	c.Write(udp(100, 1))
	w.expect(udp(100, 1))
	if s := w.dev.Stats(); s.Peers != 1 || s.Empty != 0 || s.Received != 1 {
		t.Errorf("%+v, want one peer with one packet", s)
	}
}
