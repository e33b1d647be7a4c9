package spec

import "strings"

// Nearest gives the known word that word was most likely meant to be, or ""
// when none is near: at most a third of its letters may differ.
func Nearest(word string, known []string) string {
	best, bestDistance := "", len(word)/3+1
	fold := strings.ToLower(strings.ReplaceAll(word, "-", "_"))
	for _, k := range known {
		d := distance(fold, strings.ToLower(strings.ReplaceAll(k, "-", "_")), bestDistance)
		if d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance counts the single-letter changes and swaps of neighbours that turn
// a into b (optimal string alignment). Beyond limit it may answer limit+1.
func distance(a, b string, limit int) int {
	if diff := len(a) - len(b); diff > limit || -diff > limit {
		return limit + 1
	}
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}
