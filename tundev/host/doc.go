// Package host sets up the host's side of a device: its addresses and peers, MTU,
// MAC, queue length, state and the routes through it, by rtnetlink; and what several
// devices have in common: a loop through two of them, and masquerading what comes from
// them. What is changed can be told as a [Change], and taken back by another process.
//
// It knows links by name and nothing of descriptors: opening a TUN device and
// making it persistent is package tundev, which uses this one, never the reverse.
// The netlink library stays inside; what goes in and out is netip and small structs.
//
// # Namespaces
//
// A [Handle] is a netlink socket, and a socket belongs to the network namespace that
// the calling thread was in when it was opened. From then on the handle may be used
// from any goroutine, whatever namespace its thread is in.
//
// # Privilege
//
// Looking needs none. Every change needs CAP_NET_ADMIN in the user namespace that
// owns the network namespace; without it the error is an [Error] for which
// errors.Is(err, fs.ErrPermission) holds, and its text says how to get it.
package host
