package pcapfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

func TestMain(m *testing.M) { labtest.Main(m) }

func classicRaw() []byte { return classic(binary.LittleEndian, 101, ping4()) }

// corpus calls f for every capture of a collection of strange ones.
func corpus(t *testing.T, f func(path string, b []byte)) {
	t.Helper()
	dir := os.Getenv("TUNSCRIPT_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("needs a folder of captures: set TUNSCRIPT_CORPUS to one, such as tests/ of tcpdump's source: ", err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil {
			f(path, b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// As many packets as tcpdump finds come out of each file, or an error of ours.
func TestTheCorpus(t *testing.T) {
	labtest.Need(t, "tcpdump")
	files, played, agreed, packets := 0, 0, 0, 0
	corpus(t, func(path string, b []byte) {
		files++
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d, err := pcapfile.Play(bytes.NewReader(b), nil, pcapfile.Config{Name: filepath.Base(path)})
		n := 0
		if err == nil {
			q := attach(t, d, engine.Env{})
			var pool packet.Pool
			ps := make([]*packet.Packet, 64)
			var k int
			for err == nil {
				k, err = q.Read(ps, &pool)
				n += k
				for _, p := range ps[:k] {
					pool.Put(p)
				}
			}
			n += d.Skipped()
			packets += n
			q.Close()
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
			t.Errorf("%s of %d bytes took %d bytes of memory", path, len(b), grown)
		}
		if err != io.EOF {
			if _, ok := errors.AsType[*pcapfile.Error](err); !ok {
				t.Errorf("%s: %v is a %T", path, err, err)
			}
			if out, e := exec.Command("tcpdump", "--count", "-r", path).Output(); e == nil && !errors.Is(err, pcapfile.ErrLinkType) {
				t.Errorf("%v, but tcpdump reads it: %s", err, out)
			}
			return
		}
		played++
		out, err := exec.Command("tcpdump", "--count", "-r", path).Output()
		if err != nil {
			return // of several link types, which tcpdump does not read
		}
		want, err := strconv.Atoi(strings.Fields(string(out))[0])
		if err == nil && want != n {
			t.Errorf("%s: %d packets, tcpdump counts %d", path, n, want)
		}
		agreed++
	})
	t.Logf("%d files, %d played to the end with %d packets, tcpdump agrees on %d", files, played, packets, agreed)
}
