package filter_test

import (
	"fmt"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// dns is a UDP packet from 192.0.2.1 port 40000 to 192.0.2.2 port 53.
const dns = "\x45\x00\x00\x1c\x00\x01\x00\x00\x40\x11\xf6\xcd\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x00\x35\x00\x08\xdf\x79"

func Example() {
	f, err := filter.Compile("udp dst port 53 and src net 192.0.2.0/24")
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := packet.Parse([]byte(dns), packet.IP)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Match(p))

	_, err = filter.Compile("udp dst prot 53")
	fmt.Println(err)
	// Output:
	// true
	// filter: column 9 of "udp dst prot 53": "prot" is no address, and names are not looked up: write the address; did you mean "port"?
}

// Many handlers, one question: who wants this packet?
func ExampleIndex() {
	var fs []*filter.Filter
	for port := range 1000 {
		fs = append(fs, filter.Port(filter.UDP, uint16(port)))
	}
	fs = append(fs, nil) // everything
	ix := filter.NewIndex(fs)

	p, err := packet.Parse([]byte(dns), packet.IP)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := ix.Next(p, 0); i >= 0; i = ix.Next(p, i+1) {
		fmt.Println(i, fs[i])
	}
	// Output:
	// 53 udp port 53
	// 1000
}

// Two wait for a packet; who has waited longer gets it, and waits no more.
func ExampleSet() {
	var s filter.Set[string]
	s.Add(filter.Port(filter.UDP, 53), "first")
	s.Add(filter.Port(filter.UDP, 53), "second")
	s.Add(filter.Port(filter.UDP, 54), "another")

	p, err := packet.Parse([]byte(dns), packet.IP)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		e, _ := s.Next(p, 0, s.Last())
		if e == nil {
			fmt.Println("nobody")
			break
		}
		fmt.Println(e.Value)
		s.Remove(e)
	}
	// Output:
	// first
	// second
	// nobody
}
