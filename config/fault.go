package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Fault is one thing wrong with a profile.
type Fault struct {
	File         string
	Line, Column int // from 1
	Sentence     string
}

func (f Fault) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Sentence)
}

// ProfileErrors is everything wrong with a profile, in the file's order.
type ProfileErrors []Fault

// shownFaults is how many faults are written out.
const shownFaults = 50

// Error has a line for each fault.
func (f ProfileErrors) Error() string {
	var lines []string
	for _, fault := range f[:min(len(f), shownFaults)] {
		lines = append(lines, fault.String())
	}
	if n := len(f) - shownFaults; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(lines, "\n")
}

// fault notes one thing wrong at a node; nil is the beginning of the file. A
// value of the defaults is read for every phone and reported once.
func (p *parser) fault(at *yaml.Node, format string, args ...any) {
	f := Fault{File: p.file, Line: 1, Column: 1, Sentence: fmt.Sprintf(format, args...)}
	if at != nil {
		f.Line, f.Column = max(at.Line, 1), max(at.Column, 1)
	}
	if slices.Contains(p.faults, f) {
		return
	}
	p.faults = append(p.faults, f)
	slices.SortStableFunc(p.faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Nearest returns the known word that a mistyped one most likely means, or ""
// when none is near.
func Nearest(word string, known []string) string {
	best, bestDistance := "", max(len(word)/3, 2)+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance counts the letters to insert, drop, replace or swap with a
// neighbour to get from a to b. Words beyond 64 bytes are far from everything.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
