package filter

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
)

// needTCPDump skips where tcpdump is missing, or fails where
// TUNSCRIPT_REQUIRE_TCPDUMP=1 says that it must not be.
func needTCPDump(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err == nil {
		return
	}
	const why = "tcpdump is not installed: apt-get install tcpdump"
	if os.Getenv("TUNSCRIPT_REQUIRE_TCPDUMP") == "1" {
		t.Fatal(why + " (TUNSCRIPT_REQUIRE_TCPDUMP=1: not skipped)")
	}
	t.Skip(why)
}

// capture is a pcap file of frames (draft-ietf-opsawg-pcap, little-endian). The
// time stamp of each is its number.
func capture(link layers.LinkType, frames [][]byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = le.AppendUint16(le.AppendUint16(b, 2), 4)
	b = append(b, make([]byte, 8)...)
	b = le.AppendUint32(le.AppendUint32(b, 1<<18), uint32(link))
	for i, f := range frames {
		for _, v := range []int{i, 0, len(f), len(f)} {
			b = le.AppendUint32(b, uint32(v))
		}
		b = append(b, f...)
	}
	return b
}

// A refusal is tcpdump's word on a text that it does not take.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

func tcpdump(ctx context.Context, in []byte, args ...string) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, "tcpdump", args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if _, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		why := strings.TrimSpace(stderr.String())
		return nil, &refusal{why[strings.LastIndexByte(why, '\n')+1:]}
	}
	return out, err
}

// matches returns which frames of a capture tcpdump picks.
func matches(ctx context.Context, file []byte, n int, expr string, opts ...string) ([]bool, error) {
	out, err := tcpdump(ctx, file, append(opts, "-r", "-", "-w", "-", "--", expr)...)
	if err != nil {
		return nil, err
	}
	hit := make([]bool, n)
	for at := 24; at < len(out); {
		if at+16 > len(out) {
			return nil, errors.New("tcpdump wrote half a record")
		}
		hit[binary.LittleEndian.Uint32(out[at:])] = true
		at += 16 + int(binary.LittleEndian.Uint32(out[at+8:]))
	}
	return hit, nil
}

// expressions are the hand-picked filters.
func expressions(t testing.TB) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/expressions.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && line[0] != '#' {
			list = append(list, line)
		}
	}
	return list
}
