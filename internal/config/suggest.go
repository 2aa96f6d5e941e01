package config

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean returns a suggestion of the word among words that is nearest to
// the one that was written, or "" if none is near.
func didYouMean(word string, words []string) string {
	if near := Nearest(word, words); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// Nearest finds the word that was probably meant: the same but for case and
// hyphens, another name for it, one that begins like it, or one a few slips of
// the finger away.
func Nearest(word string, words []string) string {
	word = strings.ReplaceAll(strings.ToLower(word), "-", "_")
	if word == "" || len(word) > 64 {
		return ""
	}
	if other := otherName(word); slices.Contains(words, other) {
		return other
	}
	best, least := "", 1+max(1, len(word)/3)
	for _, w := range words {
		lower := strings.ToLower(w)
		n := distance(word, lower)
		if len(word) > 2 && n > 0 && (strings.HasPrefix(lower, word) || len(w) > 2 && strings.HasPrefix(word, lower)) {
			n = 1
		}
		if n < least {
			best, least = w, n
		}
	}
	return best
}

// otherName maps what other programs call a key to what it is called here.
func otherName(word string) string {
	switch word {
	case "type", "mode":
		return "kind"
	case "ip", "ip_address", "addr":
		return "address"
	case "file", "filename", "script_path":
		return "path"
	case "interface", "iface", "dev":
		return "device"
	case "hwaddr", "mac_address":
		return "mac"
	case "threads":
		return "workers"
	case "bandwidth":
		return "rate"
	case "latency":
		return "delay"
	}
	return ""
}

// distance is the number of characters to insert, delete, replace or exchange
// with their neighbour that turn a into b.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
