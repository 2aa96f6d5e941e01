// Package embedtest builds the programs of an embedder, outside this module and as
// they stand, and runs them against the kernel. It has tests and nothing else.
package embedtest
