package diagnose

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	ladderMargin = 22 // columns before the first line: the times
	ladderLeast  = 16 // columns between two lines, however narrow the page
	ladderMost   = 36
)

// Ladder draws a flow as text, on a page of so many columns:
//
//	                   a                    PBX                    b
//	                   │                     │                     │
//	0.000s             │──── INVITE, SDP ───►│                     │
//	0.001s  +0.001     │◄──── 100 Trying ────│                     │
//	0.002s  +0.001     │                     │──── INVITE, SDP ───►│
//
// The times are those since the first message and since the one before, in
// seconds.
func (f Flow) Ladder(width int) string {
	if len(f.Steps) == 0 {
		return ""
	}
	d := ladder{flow: f, gap: ladderMost}
	if n := len(f.Parties); n > 1 {
		last := utf8.RuneCountInString(f.Parties[n-1])
		d.gap = min(ladderMost, max(ladderLeast, (width-ladderMargin-last/2-2)/(n-1)))
	}
	var b strings.Builder
	b.WriteString(d.names() + "\n" + d.row("", nil) + "\n")
	for i, s := range f.Steps {
		began, before := f.since(i)
		b.WriteString(d.row(fmt.Sprintf("%9s %8s", began, before), &s) + "\n")
	}
	return b.String()
}

type ladder struct {
	flow Flow
	gap  int
}

// line is the column of a party's line.
func (d ladder) line(party int) int { return ladderMargin + party*d.gap }

// blank is an empty row that has room for every line.
func (d ladder) blank() []rune {
	return []rune(strings.Repeat(" ", d.line(len(d.flow.Parties)-1)+d.gap))
}

// names writes each party's name over its line.
func (d ladder) names() string {
	row := d.blank()
	for i, name := range d.flow.Parties {
		text := shortened(name, d.gap-2)
		put(row, d.line(i)-len(text)/2, text)
	}
	return strings.TrimRight(string(row), " ")
}

// row draws one step, or none.
func (d ladder) row(at string, s *Step) string {
	row := d.blank()
	put(row, 0, []rune(at))
	for i := range d.flow.Parties {
		row[d.line(i)] = '│'
	}
	if s != nil {
		d.arrow(row, *s)
	}
	return strings.TrimRight(string(row), " ")
}

func (d ladder) arrow(row []rune, s Step) {
	left, right := d.line(min(s.From, s.To)), d.line(max(s.From, s.To))
	if s.From == s.To {
		right = left + d.gap
	}
	for x := left + 1; x < right; x++ {
		row[x] = '─'
	}
	if s.From <= s.To {
		row[right-1] = '►'
	} else {
		row[left+1] = '◄'
	}
	text := shortened(s.words(), right-left-7)
	text = append(append([]rune{' '}, text...), ' ')
	put(row, left+1+(right-left-1-len(text))/2, text)
}

func put(row []rune, at int, text []rune) { copy(row[max(0, at):], text) }

func shortened(s string, most int) []rune {
	text := []rune(s)
	if len(text) > most {
		text = append(text[:most-1], '…')
	}
	return text
}
