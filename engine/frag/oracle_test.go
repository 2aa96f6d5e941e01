package frag_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/ip4defrag"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

// testdata/kernel.pcap is what Linux sends by an interface with an MTU of 1500 for
// ping -s 4000, ping -6 -s 4000 and ping -s 3000 -R: three fragments each.
func kernel(t *testing.T) (all [3][]*packet.Packet) {
	t.Helper()
	b, err := os.ReadFile("testdata/kernel.pcap")
	if err != nil {
		t.Fatal(err)
	}
	b = b[24:] // the classic format: a header, and 16 bytes before every packet
	for i := range 9 {
		n := 16 + binary.LittleEndian.Uint32(b[8:])
		p, err := packet.Parse(b[16:n], packet.IP)
		if err != nil {
			t.Fatal(err)
		}
		all[i/3] = append(all[i/3], p)
		b = b[n:]
	}
	return all
}

// What Linux has cut is joined, and cut again it is byte for byte what Linux sent.
func TestTheKernelCutsAlike(t *testing.T) {
	for i, sent := range kernel(t) {
		j := newJoiner(t, frag.Limits{})
		whole, fates := j.add(t0, sent...)
		if whole == nil {
			t.Fatalf("the fragments are %v", fates)
		}
		if layer, ok := whole.Valid(); !ok {
			t.Errorf("%v: its %s is wrong", whole, layer)
		}
		if i == 2 {
			continue // Linux keeps the length of options that it does not copy, as no-operations
		}
		whole.SetCame(packet.Made)
		for k, q := range cut(t, whole, 1500) {
			if ip, _ := q.IP(); ip.Version() == 6 {
				was, _ := sent[k].IP()
				id, _ := was.ID()
				if err := ip.SetID(id); err != nil { // drawn
					t.Fatal(err)
				}
			}
			if !bytes.Equal(q.Bytes(), sent[k].Bytes()) {
				t.Errorf("fragment %d of %d is\n% x, the kernel's\n% x", k, i, head(q), head(sent[k]))
			}
		}
	}
}

// gopacket joins what we cut to what we join.
func TestGopacketJoinsAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		n := 1000 + r.IntN(20000)
		p := build(t, ip4(packet.UDP{Sport: 1, Dport: 2}, counted(n))...)
		ps := cut(t, p, 100+r.IntN(900))
		if len(ps[len(ps)-1].Bytes()) < 28 {
			continue // gopacket calls less than 8 bytes of data handcrafted
		}
		r.Shuffle(len(ps), func(a, b int) { ps[a], ps[b] = ps[b], ps[a] })
		theirs, ours := ip4defrag.NewIPv4Defragmenter(), newJoiner(t, frag.Limits{})
		for _, q := range ps {
			ip := &layers.IPv4{}
			if err := ip.DecodeFromBytes(bytes.Clone(q.Bytes()), gopacket.NilDecodeFeedback); err != nil {
				t.Fatal(err)
			}
			want, err := theirs.DefragIPv4(ip)
			if err != nil {
				t.Fatal(err)
			}
			got, fate := ours.Add(q, t0)
			if (want != nil) != (got != nil) {
				t.Fatalf("gopacket has joined: %v, and the fate is %v", want != nil, fate)
			}
			if got != nil && !bytes.Equal(got.Bytes()[20:], want.Payload) {
				t.Fatalf("%d bytes are joined to others", n)
			}
		}
	}
}
