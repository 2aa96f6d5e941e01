// Package lab makes a private network for a program and whatever it starts: a fresh
// network namespace, a user namespace so that this needs no root, and a process and
// mount namespace so that nothing is left behind. The verbs `lab` and `demo` live in
// one, and so do the tests of this module (package labtest).
//
// It knows namespaces, processes and terminals, and nothing of packets, scripts or
// how a device is opened.
//
// # How a process gets in
//
// The kernel refuses a process with several threads a new user namespace, and a Go
// program has several threads before main begins. So [Enter] starts the program
// again, with the same arguments, in new namespaces, and waits for it:
//
//	tunscript lab ping.lua          Enter: outside. Passes signals on, waits,
//	 |                              returns the status
//	 +- tunscript lab ping.lua      Enter: inside, process 1 of its namespace.
//	     |                          Loopback up, sysctls, /dev/net/tun tried; goes on
//	     +- ping 192.0.2.2          Command
//
// Before the child goes on it reports over a pipe what is missing, so that it is
// the parent that returns the error: a refusal can come as late as the first use of
// a capability (AppArmor lets the namespace be made and then grants nothing).
//
// # How nothing is left behind
//
// The child is process 1 of a process namespace. When it ends, for whatever reason,
// the kernel kills every process in it, also those that made themselves daemons; when
// the parent is killed, the kernel kills the child. A reaper of orphans
// (PR_SET_CHILD_SUBREAPER) would leave both to us, and nobody would be left to do it
// after a SIGKILL. Namespaces are held by descriptors, never by a file in /run/netns.
// An orphan that ends stays a zombie until the lab ends.
//
// # Terminals
//
// Parent, child and command stay in the process group that the user's shell gave
// them, so ^C, ^Z, fg and bg reach all of them as always, and nobody passes on what
// the terminal has sent to all (so a SIGINT by kill(1) to a lab that has the terminal
// is taken for a key; SIGTERM is not). Only a shell gets a group of its own, and with it the
// terminal, for the jobs it runs. Without a terminal the child has a group of its own,
// and the parent passes everything on, once.
package lab
