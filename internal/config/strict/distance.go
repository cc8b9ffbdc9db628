package strict

import "strings"

// closest returns the word that is so similar to the given one that it was
// probably meant, or nothing.
func closest(word string, words []string) string {
	if len(word) > 64 {
		return ""
	}
	word = strings.ToLower(word)
	best, meant := max(1, len(word)/3)+1, ""
	for _, w := range words {
		if n := distance(word, strings.ToLower(w)); n < best {
			best, meant = n, w
		}
	}
	return meant
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that make one word the other (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			n := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				n = min(n, rows[i-2][j-2]+1)
			}
			rows[i][j] = n
		}
	}
	return rows[len(a)][len(b)]
}
