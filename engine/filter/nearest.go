package filter

import "strings"

// nearest returns the word that was most likely meant by a misspelt one, or "".
// A typo is at most two edits, and at most one in a word of up to four letters,
// where a swap of neighbours counts as one: "prot" is nearer to "port" than to
// "dst". Among equals the one of the same length wins, then the first.
func nearest(word string, lists ...[]string) string {
	word = strings.ToLower(word)
	allowed := 2
	if len(word) <= 4 {
		allowed = 1
	}
	if len(word) < 2 || len(word) > 40 {
		return ""
	}
	best, least := "", 3*allowed+2
	for _, list := range lists {
		for _, w := range list {
			d := edits(word, w)
			if d > allowed || d == 0 {
				continue
			}
			rank := 3 * d
			if len(w) != len(word) {
				rank++
			}
			if rank < least {
				best, least = w, rank
			}
		}
	}
	return best
}

// edits is the number of insertions, deletions, replacements and swaps of
// neighbours between a and b (optimal string alignment).
func edits(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3
	}
	var two, one []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		two, one, row = one, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, one[j+1]+1, one[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], two[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
