package filter

import (
	"fmt"
	"testing"
)

func BenchmarkMatch(b *testing.B) {
	p := udpTo(b, 80)
	for _, text := range []string{"ip", "udp port 80", "tcp port 80", "host 192.0.2.2", "src net 2001:db8::/32",
		"udp[0:2] = 40000", "ip[2:2] - ((ip[0] & 0xf) << 2) > 20", "tcp[tcpflags] & tcp-syn != 0"} {
		b.Run(text, func(b *testing.B) {
			f := compile(b, text)
			for b.Loop() {
				f.Match(p)
			}
		})
	}
}

// What finding the one handler costs, and that there is no other: of one filter on a
// port, and of many on a port each. The packet's port is in the middle, or nowhere.
func BenchmarkNext(b *testing.B) {
	for _, n := range []int{1, 10, 1000, 10000} {
		ix := NewIndex(disjoint(b, n))
		for _, port := range []struct {
			name string
			num  int
		}{{"hit", 10000 + n/2}, {"miss", 9}} {
			p := udpTo(b, port.num)
			b.Run(fmt.Sprintf("filters=%d/%s", n, port.name), func(b *testing.B) {
				for b.Loop() {
					for i := ix.Next(p, 0); i >= 0; i = ix.Next(p, i+1) {
					}
				}
			})
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile("tcp dst port 80 and src net 192.0.2.0/24"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewIndex(b *testing.B) {
	fs := disjoint(b, 1000)
	for b.Loop() {
		NewIndex(fs)
	}
}

// What a packet costs that one waits for, or nobody: of one that waits for a port, and
// of many that wait for a port each.
func BenchmarkSetNext(b *testing.B) {
	for _, n := range []int{1, 10, 1000, 100000} {
		var s Set[int]
		for i := range n {
			s.Add(Field(UDP, 2, 2, 0xffff, uint32(10000+i%50000)), i)
		}
		for _, port := range []struct {
			name string
			num  int
		}{{"hit", 10000 + n/2%50000}, {"miss", 9}} {
			p := udpTo(b, port.num)
			b.Run(fmt.Sprintf("waiting=%d/%s", n, port.name), func(b *testing.B) {
				for b.Loop() {
					s.Next(p, 0, s.Last())
				}
			})
		}
	}
}

// What it takes to wait and to be done waiting, among many.
func BenchmarkSetAddRemove(b *testing.B) {
	for _, n := range []int{1, 1000, 100000} {
		b.Run(fmt.Sprintf("waiting=%d", n), func(b *testing.B) {
			var s Set[int]
			f := Field(UDP, 2, 2, 0xffff, 80)
			var all []*Entry[int]
			for i := range n {
				all = append(all, s.Add(f, i))
			}
			for i := 0; b.Loop(); i++ {
				s.Remove(all[i%n])
				all[i%n] = s.Add(f, i)
			}
		})
	}
}
