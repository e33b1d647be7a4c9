package diagnose

import (
	"fmt"
	"html"
	"strings"
)

// Sizes of a drawing, in its own units, which are pixels where nothing scales.
const (
	svgTimes  = 150 // room for the times, on the left
	svgLeast  = 150 // between two lines
	svgMost   = 260
	svgWide   = 1100 // what the page has, before lines come nearer to each other
	svgTop    = 50
	svgRow    = 24
	svgLetter = 7 // about the width of one
)

// svgStyle is for light and dark pages; nothing is fetched.
const svgStyle = `<style>` +
	`.sip text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}` +
	`.sip .who{font-weight:700;font-size:13px;text-anchor:middle}.sip .at{fill:#59636e;text-anchor:end}.sip .say{text-anchor:middle}` +
	`.sip line{stroke:#8c959f}.sip path{stroke:#0969da;stroke-width:1.5;fill:none}.sip .head{fill:#0969da}` +
	`.sip .ok path{stroke:#1a7f37}.sip .ok .head{fill:#1a7f37}.sip .no path{stroke:#cf222e}.sip .no .head{fill:#cf222e}` +
	`.sip .again path{stroke-dasharray:4 3}.sip .page{fill:#fff}` +
	`@media (prefers-color-scheme:dark){.sip text{fill:#e6edf3}.sip .at{fill:#9198a1}.sip line{stroke:#656c76}.sip .page{fill:#0d1117}` +
	`.sip path{stroke:#4493f8}.sip .head{fill:#4493f8}.sip .ok path{stroke:#3fb950}.sip .ok .head{fill:#3fb950}.sip .no path{stroke:#f85149}.sip .no .head{fill:#f85149}}` +
	`</style>`

// SVG draws a flow as one self-contained image: no script, no reference. It
// follows the reader's light or dark colours. Requests are blue, good answers
// green, refusals red, retransmissions dashed.
func (f Flow) SVG() string {
	if len(f.Steps) == 0 {
		return ""
	}
	d := svgDrawing{flow: f, gap: svgMost}
	if n := len(f.Parties); n > 1 {
		d.gap = min(svgMost, max(svgLeast, (svgWide-svgTimes)/n))
	}
	width := svgTimes + len(f.Parties)*d.gap
	height := svgTop + (len(f.Steps)+1)*svgRow
	fmt.Fprintf(&d.b, `<svg xmlns='http://www.w3.org/2000/svg' class='sip' viewBox='0 0 %d %d' width='%d' height='%d' role='img'>`, width, height, width, height)
	fmt.Fprintf(&d.b, "%s<title>SIP call flow</title><rect class='page' width='%d' height='%d'/>\n", svgStyle, width, height)
	for i, name := range f.Parties {
		fmt.Fprintf(&d.b, "<text class='who' x='%d' y='24'>%s</text><line x1='%d' y1='34' x2='%d' y2='%d'/>\n",
			d.line(i), d.text(name, d.gap-10), d.line(i), d.line(i), height-svgRow/2)
	}
	for i := range f.Steps {
		d.step(i)
	}
	d.b.WriteString("</svg>\n")
	return d.b.String()
}

type svgDrawing struct {
	flow Flow
	gap  int
	b    strings.Builder
}

func (d *svgDrawing) line(party int) int { return svgTimes + d.gap/2 + party*d.gap }

// text is what has room in a width, safe to stand in XML.
func (d *svgDrawing) text(s string, width int) string {
	return html.EscapeString(string(shortened(s, width/svgLetter)))
}

func (d *svgDrawing) step(i int) {
	s := d.flow.Steps[i]
	y := svgTop + i*svgRow + svgRow/2
	began, before := d.flow.since(i)
	fmt.Fprintf(&d.b, "<g%s><text class='at' x='70' y='%d'>%s</text><text class='at' x='%d' y='%d'>%s</text>", s.svgClass(), y+4, began, svgTimes-16, y+4, before)
	from, to := d.line(s.From), d.line(s.To)
	point := -7 // the arrow's head, seen from its end
	switch {
	case from == to:
		to += d.gap / 2
	case from > to:
		point = 7
	}
	fmt.Fprintf(&d.b, "<path d='M%d %dH%d'/><path class='head' d='M%d %dl%d -4v8z'/>", from, y, to+point/2, to, y, point)
	fmt.Fprintf(&d.b, "<text class='say' x='%d' y='%d'>%s</text></g>\n", (from+to)/2, y-4, d.text(s.words(), max(to-from, from-to, d.gap)-20))
}

func (s Step) svgClass() string {
	var names []string
	switch {
	case s.Status >= 300:
		names = append(names, "no")
	case s.Status >= 200:
		names = append(names, "ok")
	}
	if s.Again {
		names = append(names, "again")
	}
	if len(names) == 0 {
		return ""
	}
	return " class='" + strings.Join(names, " ") + "'"
}
