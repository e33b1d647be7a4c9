package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"
)

// Tone is how something is to be taken.
type Tone string

// The tones.
const (
	Good   Tone = "good"
	Bad    Tone = "bad"
	Unsure Tone = "unsure"
	Plain  Tone = "plain" // neither good nor bad
)

// Page is everything that a page shows. Texts may be anything: the page makes
// them safe, and bounds them.
type Page struct {
	Title string
	Made  time.Time

	Verdict  Verdict
	Facts    []Fact
	Findings []Finding
	Legs     []Leg
	Ladders  []Ladder
	Quality  []Direction
	Sounds   []Sound
	Timeline []Row
	Notes    []string // what is missing here, and how to have it next time
}

// Verdict is what it all came to.
type Verdict struct {
	Tone Tone
	Word string // "Completed", "Failed"
	Text string // one sentence
}

// Fact is one thing known, by its name.
type Fact struct{ Name, Value string }

// Finding is one conclusion, with what it rests on.
type Finding struct {
	Tone     Tone
	Title    string
	Text     string
	Evidence []string
}

// Ladder is who said what to whom in one call.
type Ladder struct {
	Title string
	SVG   template.HTML // a drawing of our own making
}

// Leg is one phone's part.
type Leg struct {
	Phone, Call, Direction, Remote, State, Codec, Duration, Status string
	Sent, Received                                                 string // packets
	Loss, Jitter, RoundTrip, MOS                                   string
}

// Row is one line of the timeline.
type Row struct {
	Offset time.Duration // since the begin
	Phone  string
	Kind   string // event, action or meta
	What   string
	Detail string
	Tone   Tone // "" is Plain
}

// How much of a text is shown, in characters, and how many rows.
const (
	textBound = 600
	rowBound  = 5000
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// HTML writes the page.
func (p Page) HTML() ([]byte, error) {
	if more := len(p.Timeline) - rowBound; more > 0 {
		p.Timeline = p.Timeline[more:]
		p.Notes = append(p.Notes, fmt.Sprintf("%d older entries of the timeline are left out.", more))
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"text":   Text,
		"offset": offset,
		"css":    func() template.CSS { return template.CSS(pageCSS) }, //nolint:gosec // our own file
	}).Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("the page's form is wrong: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("the page cannot be written: %w", err)
	}
	return b.Bytes(), nil
}

func offset(d time.Duration) string { return fmt.Sprintf("%+.3f s", d.Seconds()) }

// Text makes what came from outside fit to be read: one line, bounded, with
// control and invisible characters as escapes.
func Text(s string) string {
	var b strings.Builder
	n := 0
	for i, r := range s {
		if n++; n > textBound {
			fmt.Fprintf(&b, "… (%d more bytes)", len(s)-i)
			break
		}
		switch {
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
