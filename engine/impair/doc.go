// Package impair decides what a bad link does to packets: which it loses, how
// long it delays them, which come twice, damaged or out of order.
//
// It decides and does not hold: time and chance come in as arguments, a
// [Decision] goes out, and who runs packets (package engine) drops, copies and
// keeps them for as long as it says. So the same seed and the same packets have the
// same fate, on any clock. The package knows packets and filters; it knows no
// devices, workers or clocks and starts no goroutine.
//
// # Rules and links
//
// [Options] are what a user writes; [New] checks them and makes a [Rule], which
// never changes and which any number of goroutines may share. A [Link] is one
// direction of one device under that rule: its line, its burst of losses, its
// source of chance. It belongs to one goroutine.
//
// # What happens to a packet, in order
//
// The order is that of a real link:
//
//  1. blackhole: nothing passes.
//  2. mtu: a packet that is larger than the path takes is dropped, and nobody is
//     told, as behind a firewall that eats ICMP.
//  3. rate and queue: the packet waits until the line is free and takes its time on
//     it; when the queue is full it is dropped (tail drop).
//  4. loss, even or in bursts: on the wire, so a lost packet has taken its time.
//  5. duplicate: a copy goes the rest of the way on its own.
//  6. corrupt and truncate: the bytes change, and no checksum follows.
//  7. delay, jitter, reorder: how long it is on its way.
//
// Where tc-netem(8) has the same word it means the same; jitter lets packets
// overtake one another, as there, unless KeepOrder says otherwise.
//
// A super-packet has one fate as a whole: who wants one for each segment cuts it
// up before.
package impair
