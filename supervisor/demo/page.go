package demo

import (
	"fmt"
	"io"
	"strings"
)

// width is how many columns a line may have.
const width = 100

// page writes what the demo shows: colour on a terminal, plain elsewhere.
type page struct {
	out    io.Writer
	colour bool
}

const (
	bold  = "1"
	red   = "31"
	green = "32"
	cyan  = "36"
	grey  = "90"
)

func (p *page) paint(code, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// write is for a person who watches: when nobody can, the verdict still counts.
func (p *page) write(text string) { _, _ = io.WriteString(p.out, text+"\n") }

func (p *page) title(text string) { p.write("\n" + p.paint(bold, text) + "\n") }

// step is something that has been done.
func (p *page) step(name, format string, args ...any) {
	p.write(fmt.Sprintf("  %s %-13s %s", p.paint(green, "✓"), name, shortened(fmt.Sprintf(format, args...), width-18)))
}

func (p *page) section(name, source string) {
	p.write("\n" + p.paint(bold, name) + p.paint(grey, "   "+source))
}

func (p *page) line(format string, args ...any) { p.write("   " + fmt.Sprintf(format, args...)) }

// entry is a line of the timeline.
func (p *page) entry(line string) {
	line = shortened(line, width)
	switch {
	case strings.Contains(line, ".failed"):
		line = p.paint(red, line)
	case strings.Contains(line, " ► "):
		line = p.paint(cyan, line)
	case strings.Contains(line, " · "):
		line = p.paint(grey, line)
	}
	p.write(line)
}

// block is a drawing.
func (p *page) block(text string) {
	for line := range strings.Lines(text) {
		p.write(strings.TrimSuffix(line, "\n"))
	}
}

func (p *page) verdict(passed bool, text string) {
	word, code := "PASSED", green
	if !passed {
		word, code = "FAILED", red
	}
	p.write("\n" + p.paint(code, word) + "   " + text)
}

func shortened(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
