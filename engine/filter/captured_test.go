package filter

import (
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/gopacket/layers"
)

const (
	capturedFrames = 1200 // at most so many
	capturedBytes  = 300  // of each
)

// captured are Ethernet frames from the captures of other projects, many of them
// malformed on purpose, where such files are at hand: evenly spread and cut short, so
// that tcpdump has not much to read.
func captured(t testing.TB) [][]byte {
	t.Helper()
	dir := os.Getenv("TUNSCRIPT_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	var all [][]byte
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if b, err := os.ReadFile(path); err == nil {
			all = append(all, records(b)...)
		}
		return nil
	})
	var some [][]byte
	for i := range min(len(all), capturedFrames) {
		f := all[i*len(all)/min(len(all), capturedFrames)]
		some = append(some, f[:min(len(f), capturedBytes)])
	}
	return some
}

// records are the frames of a pcap file with Ethernet, as far as it makes sense.
func records(b []byte) (frames [][]byte) {
	if len(b) < 24 {
		return nil
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if magic := order.Uint32(b); magic != 0xa1b2c3d4 && magic != 0xa1b23c4d || layers.LinkType(order.Uint16(b[20:])) != layers.LinkTypeEthernet {
			continue
		}
		for rest := b[24:]; len(rest) >= 16; {
			n := order.Uint32(rest[8:])
			if rest = rest[16:]; uint64(n) > uint64(len(rest)) {
				break
			}
			if n > 0 {
				frames = append(frames, rest[:n])
			}
			rest = rest[n:]
		}
	}
	return frames
}
