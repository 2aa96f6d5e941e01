package luabind

import (
	"iter"
	"maps"
	"slices"
)

// nearest is the word of words most like word, or "" if none is like it: a typing
// error or two away, or one the beginning of the other.
func nearest(word string, words iter.Seq[string]) string {
	best, at := "", 1+len(word)/3
	if len(word) <= 4 {
		at = 1
	}
	if len(word) > 64 {
		return ""
	}
	for _, w := range slices.Sorted(words) {
		d := distance(word, w)
		if len(word) >= 3 && len(w) > len(word) && w[:len(word)] == word {
			d = min(d, 1)
		}
		if d < at || d == at && best == "" {
			best, at = w, d
		}
	}
	return best
}

// didYouMean is the end of a message about an unknown word.
func didYouMean[V any](word string, known map[string]V) string {
	return suggest(word, maps.Keys(known))
}

func suggest(word string, known iter.Seq[string]) string {
	if w := nearest(word, known); w != "" {
		return "; did you mean \"" + w + "\"?"
	}
	return ""
}

// distance counts the letters to change, add, remove or swap with a neighbour to
// get from a to b; as field names are often longer words with a part left out
// ("destport", "dport"), leaving out costs little more than nothing when one is
// within the other in order.
func distance(a, b string) int {
	if subsequence(b, a) || subsequence(a, b) {
		return min((abs(len(a)-len(b))+1)/2, edits(a, b))
	}
	return edits(a, b)
}

func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
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
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// subsequence reports that the letters of s stand in t in order.
func subsequence(s, t string) bool {
	if len(s) < 3 {
		return false
	}
	i := 0
	for j := 0; j < len(t) && i < len(s); j++ {
		if s[i] == t[j] {
			i++
		}
	}
	return i == len(s)
}

func abs(n int) int { return max(n, -n) }

// Nearest is the word of words that was probably meant by word, or "" if none is like
// it: what every message about an unknown word suggests.
func Nearest(word string, words iter.Seq[string]) string { return nearest(word, words) }
