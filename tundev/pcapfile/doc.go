// Package pcapfile is capture files, pcap and pcapng: a device that plays one and
// writes another, and an observer that records what an engine does.
//
// It knows the formats and of the engine only Device, Queue and Observer. It reads and
// writes them itself, in a file each. gopacket's pcapgo v1.1.19 allocates whatever a
// pcapng packet says it is long, divides by a resolution of 0 and cannot write comments;
// guarding it would take all of the parsing that is here.
//
// # Playing
//
// A [Device] reads its file on the worker, packet by packet, in bounded memory whatever
// the file says. On a virtual clock each packet comes at the time it was captured; on the
// real clock they come as fast as they are handled. Link headers that say no more than
// "here is IP" are taken off: an engine knows IP packets and Ethernet frames.
//
// # Recording
//
// A [Writer] is called on the worker and must not wait for a disk: it puts its records
// into one of two buffers, and a goroutine of its own writes the other. Where the disk
// is behind by more than a buffer, packets are missing in the file, and counted.
package pcapfile
