// Package filter holds conditions on packets: pcap-filter(7) text, or built from
// parts, compiled to one form, with an index over many.
package filter
