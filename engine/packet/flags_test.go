package packet_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestFlagsAreReadInAnyOrderAndWrittenInOne(t *testing.T) {
	for f := range 256 {
		flags := packet.Flags(f)
		s := flags.String()
		back := ""
		for _, c := range s {
			back = string(c) + back
		}
		got, err := packet.ParseFlags(back)
		if err != nil || got != flags {
			t.Errorf("%08b is %q, and %q reads as %08b, %v", f, s, back, got, err)
		}
	}
	if s := (packet.SYN | packet.ACK).String(); s != "SA" {
		t.Errorf("SYN|ACK is %q, want SA", s)
	}
	if !(packet.SYN | packet.ACK).Has(packet.ACK) || packet.SYN.Has(packet.SYN|packet.ACK) {
		t.Error("Has asks for all the bits")
	}
}

func TestFlagErrorsSayWhatToWrite(t *testing.T) {
	for s, want := range map[string]string{
		"S.": `write "SA"`,
		"sa": `write "SA"`,
		"W":  `write "C"`,
		"SX": "FSRPAUEC",
		"SS": "once",
	} {
		if _, err := packet.ParseFlags(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %s", s, err, want)
		}
	}
}
