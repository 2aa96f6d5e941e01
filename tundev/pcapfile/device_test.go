package pcapfile_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// Whatever stands before the IP header in the file, an engine gets the same packet.
func TestLinkTypes(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	eth := append(make([]byte, 12), 8, 0)
	for _, c := range []struct {
		name     string
		linkType uint32
		before   []byte
		link     packet.LinkType
	}{
		{"raw", 101, nil, packet.IP},
		{"raw of OpenBSD", 14, nil, packet.IP},
		{"raw of others", 12, nil, packet.IP},
		{"IPv4", 228, nil, packet.IP},
		{"null", 0, []byte{2, 0, 0, 0}, packet.IP},
		{"null, of the other byte order", 0, []byte{0, 0, 0, 2}, packet.IP},
		{"loop", 108, []byte{0, 0, 0, 2}, packet.IP},
		{"cooked", 113, append(make([]byte, 14), 8, 0), packet.IP},
		{"cooked 2", 276, append([]byte{8, 0}, make([]byte, 18)...), packet.IP},
		{"Ethernet", 1, eth, packet.Ethernet},
		{"Ethernet with a check sum's length", 0x24000001, eth, packet.Ethernet},
	} {
		for _, order := range []binary.AppendByteOrder{le, be} {
			d, ps, err := play(t, classic(order, c.linkType, join(c.before, ping4())))
			if err != nil || len(ps) != 1 {
				t.Errorf("%s: %d packets, %v", c.name, len(ps), err)
				continue
			}
			want := ping4()
			if c.link == packet.Ethernet {
				want = join(eth, ping4())
			}
			if d.Info().Link != c.link || ps[0].Link() != c.link || !bytes.Equal(ps[0].Bytes(), want) {
				t.Errorf("%s: %v % x", c.name, ps[0].Link(), ps[0].Bytes())
			}
			if at := time.Unix(1000, 5000); !ps[0].Time.Equal(at) {
				t.Errorf("%s: at %v, want %v", c.name, ps[0].Time, at)
			}
		}
	}
	if _, ps, err := play(t, classic(le, 229, ping6())); len(ps) != 1 || err != nil {
		t.Errorf("IPv6: %d packets, %v", len(ps), err)
	}
	_, _, err := play(t, classic(le, 105, ping4())) // 802.11
	if !errors.Is(err, pcapfile.ErrLinkType) {
		t.Errorf("802.11: %v, want ErrLinkType", err)
	}
}

// ARP on a cooked capture, a packet of version 5, one of no bytes: nothing for an engine.
func TestWhatIsNoPacketIsSkippedAndCounted(t *testing.T) {
	d, ps, err := play(t, classic(binary.LittleEndian, 113, append(make([]byte, 14), 8, 6), make([]byte, 3), append(make([]byte, 14), 8, 0, 0x50),
		join(append(make([]byte, 14), 8, 0), ping4())))
	if err != nil || len(ps) != 1 || d.Skipped() != 3 {
		t.Errorf("%d packets, %d skipped, %v, want 1 and 3", len(ps), d.Skipped(), err)
	}
}

func TestVirtualTime(t *testing.T) {
	file := classic(binary.LittleEndian, 101, ping4(), ping4(), ping4())
	d, err := pcapfile.Play(bytes.NewReader(file), nil, pcapfile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	start, ok := d.Start()
	if !ok || !start.Equal(time.Unix(1000, 5000)) {
		t.Fatalf("it starts at %v, %t", start, ok)
	}
	now := start
	q := attach(t, d, engine.Env{Virtual: true, Now: func() time.Time { return now }})
	ps := make([]*packet.Packet, 8)
	for i := range 3 {
		next, ok := q.(engine.Timed).Next()
		if want := start.Add(time.Duration(i) * time.Second); !ok || !next.Equal(want) {
			t.Fatalf("packet %d comes at %v, %t, want %v", i, next, ok, want)
		}
		now = next.Add(-1)
		if n, err := q.Read(ps, nil); n != 0 || err != nil {
			t.Errorf("before its time: %d, %v", n, err)
		}
		now = next
		if n, err := q.Read(ps, nil); n != 1 || err != nil {
			t.Errorf("at its time: %d, %v", n, err)
		}
	}
	if _, ok := q.(engine.Timed).Next(); ok {
		t.Error("there is a fourth")
	}
	if n, err := q.Read(ps, nil); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v, want io.EOF", n, err)
	}
}

// A stamp years ahead would make every timer of a script run for years.
func TestTimeThatLeapsIsAnErrorOfItsPacket(t *testing.T) {
	file := classic(binary.LittleEndian, 101, ping4(), ping4(), ping4())
	third := len(file) - len(ping4()) - 16
	binary.LittleEndian.PutUint32(file[third:], 1001+86401)
	for _, c := range []struct {
		max  time.Duration
		want int // packets
	}{{0, 2}, {48 * time.Hour, 3}, {-1, 3}, {time.Millisecond, 1}} {
		d, err := pcapfile.Play(bytes.NewReader(file), nil, pcapfile.Config{Name: "leap.pcap", MaxGap: c.max})
		if err != nil {
			t.Fatal(err)
		}
		late := time.Unix(1<<40, 0)
		ps, err := readAll(attach(t, d, engine.Env{Virtual: true, Now: func() time.Time { return late }}))
		if len(ps) != c.want || errors.Is(err, pcapfile.ErrGap) != (c.want < 3) {
			t.Errorf("gaps to %v: %d packets, %v, want %d", c.max, len(ps), err, c.want)
		}
		if e, ok := errors.AsType[*pcapfile.Error](err); ok && e.Record != c.want+1 {
			t.Errorf("gaps to %v: the error names packet %d", c.max, e.Record)
		}
	}
}

func TestWhatLeavesIsInTheOutput(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pcap")
	if err := os.WriteFile(in, classic(binary.BigEndian, 101, ping4(), ping6()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"out.pcap", "out.pcapng"} {
		out := filepath.Join(dir, name)
		d, err := pcapfile.Open(pcapfile.Config{Path: in, Output: out})
		if err != nil {
			t.Fatal(err)
		}
		if d.Info().Name != "in" {
			t.Errorf("its name is %q, want that of the file", d.Info().Name)
		}
		at := time.Unix(1700000000, 123456789)
		q := attach(t, d, engine.Env{Now: func() time.Time { return at }})
		ps, err := readAll(q)
		if err != io.EOF {
			t.Fatal(err)
		}
		var lost int
		ps = append(ps, mustParse(t, make([]byte, 60), packet.Ethernet))
		if err := q.Write(ps, func(*packet.Packet, engine.Reason) { lost++ }); err != nil || lost != 1 {
			t.Errorf("%d lost, %v, want the Ethernet frame alone", lost, err)
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		_, again, err := play(t, b)
		if err != nil || len(again) != 2 || !bytes.Equal(again[0].Bytes(), ping4()) || !bytes.Equal(again[1].Bytes(), ping6()) || !again[0].Time.Equal(at) {
			t.Errorf("%s: %d packets came back, %v", name, len(again), err)
		}
	}
}

func TestFilesThatCannotBePlayed(t *testing.T) {
	whole := classic(binary.LittleEndian, 101, ping4(), ping4())
	huge := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(huge[24+8:], 1<<31)
	old := bytes.Clone(whole)
	old[4] = 3
	for _, c := range []struct {
		name  string
		file  []byte
		want  error
		after int // packets that come first
	}{
		{"empty", nil, pcapfile.ErrFormat, 0},
		{"text", []byte("Not a capture, but long enough to be one."), pcapfile.ErrFormat, 0},
		{"half a header", whole[:20], pcapfile.ErrFormat, 0},
		{"an unknown version", old, pcapfile.ErrFormat, 0},
		{"a header alone", whole[:24], nil, 0},
		{"half a record", whole[:len(whole)-1], pcapfile.ErrDamaged, 1},
		{"a record's header alone", whole[:24+16], pcapfile.ErrDamaged, 0},
		{"a record of 2 GiB", huge, pcapfile.ErrDamaged, 0},
	} {
		_, ps, err := play(t, c.file)
		if !errors.Is(err, c.want) || len(ps) != c.after {
			t.Errorf("%s: %d packets and %v, want %d and %v", c.name, len(ps), err, c.after, c.want)
		}
	}
	if _, err := pcapfile.Open(pcapfile.Config{Path: filepath.Join(t.TempDir(), "none.pcap")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestACompressedCapture(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(classic(binary.LittleEndian, 101, ping4()))
	z.Close()
	if _, ps, err := play(t, b.Bytes()); len(ps) != 1 || err != nil {
		t.Errorf("%d packets, %v", len(ps), err)
	}
}

func TestACaptureHasOneEngineAndOneEnd(t *testing.T) {
	d, err := pcapfile.Play(bytes.NewReader(classic(binary.LittleEndian, 101, ping4())), nil, pcapfile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	woken := false
	q := attach(t, d, engine.Env{Wake: func(int) { woken = true }})
	if _, err := d.Attach(engine.Env{}); !errors.Is(err, engine.ErrInUse) {
		t.Errorf("a second Attach says %v", err)
	}
	if d.Close(); !woken {
		t.Error("Close wakes nobody")
	}
	if _, err := q.Read(make([]*packet.Packet, 1), nil); err != io.EOF {
		t.Errorf("closed: Read says %v", err)
	}
	q.Close()
	if _, err := d.Attach(engine.Env{}); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("closed: Attach says %v", err)
	}
}
