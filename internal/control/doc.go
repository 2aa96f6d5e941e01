// Package control lets one process look into and steer an engine that runs in
// another: the unix socket of `tunscript run --control`, both ends of it.
//
// # The protocol
//
// A client connects and writes a request, one JSON object on one line; the server
// answers with one line, or with several of which all but the last say "more":
//
//	{"v":1,"do":"reload","args":{"script":"gate"}}
//	{"v":1,"result":{"done":["gate"]}}
//
//	{"v":1,"do":"top","args":{"every":1}}
//	{"v":1,"more":true,"result":{...}}
//
// An answer with "error" has the text, what helps to find the place, and a kind that
// the command makes its exit status of. A connection takes requests one after another;
// while an answer of several lines is under way, whatever the client sends, and its
// closing its side, ends it: then the last line comes. What is no request (no JSON, a
// line of more than 64 KiB, another version) is answered with an error, and ends that
// connection. There are at most 16 of them.
//
// # Who may
//
// The socket has mode 0600, and whoever connects must be the user of the server, or
// root, by what the kernel says of the peer.
//
// # What it must not do
//
// Nothing here waits on a worker's goroutine. Counters are read where the engine
// publishes them; a capture is an observer that loses packets when its reader is slow;
// flows are listed in pages; what runs in a script runs with the budget of a packet.
// The package does not know where the engine came from: a [Host] says what there is.
package control
