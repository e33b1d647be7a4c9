package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"ringmaster/supervisor/diagnose"
)

// Direction is the RTP of one way, over time.
type Direction struct {
	Title   string // "a receives", "a sends"
	Way     string // from whom to whom
	Summary string
	Tone    Tone
	Loss    Chart
	Jitter  Chart
	From    string // the begin and the end of the time that is drawn
	To      string
}

// Chart is one quantity over time.
type Chart struct {
	Name  string
	Scale string        // the highest value, and what fills the height
	SVG   template.HTML // "" where all is 0
}

// What counts as much, where nothing says otherwise: ITU-T G.113 appendix I
// has G.711 fall off from some percent of loss on; a jitter buffer of a phone
// holds some 60 ms.
const (
	muchLoss   = 1.0 // percent
	muchJitter = 30 * time.Millisecond

	leastLoss   = 5.0 // percent at the top of a chart, at least
	leastJitter = 20 * time.Millisecond

	chartHeight = 60
)

// Quality draws the streams of a capture that a phone's port takes part in;
// without a port (0), all. name is the phone's.
func Quality(name string, port int, streams []*diagnose.Stream) []Direction {
	var all []Direction
	streams = slices.Clone(streams)
	slices.SortStableFunc(streams, func(a, b *diagnose.Stream) int {
		return cmp.Compare(b.Packets, a.Packets)
	})
	for _, s := range streams {
		title := "RTP"
		switch port {
		case 0:
		case int(s.To.Port()):
			title = name + " receives"
		case int(s.From.Port()):
			title = name + " sends"
		default:
			continue
		}
		all = append(all, direction(title, s))
		if len(all) == directionBound {
			break
		}
	}
	return all
}

// directionBound is how many streams a page draws, those with the most packets.
const directionBound = 12

func direction(title string, s *diagnose.Stream) Direction {
	expected := max(1, s.Packets-s.Duplicates+s.Lost)
	lost := 100 * float64(s.Lost) / float64(expected)
	d := Direction{
		Title: title, Way: fmt.Sprintf("%s → %s, SSRC 0x%08x", s.From, s.To, s.SSRC), Tone: Good,
		From: "0 s", To: clock(s.Last.Sub(s.First)),
	}
	d.Summary = fmt.Sprintf("%d packets, %d lost (%.2f %%)", s.Packets, s.Lost, lost)
	if s.Reordered > 0 {
		d.Summary += fmt.Sprintf(", %d out of order", s.Reordered)
	}
	if s.Duplicates > 0 {
		d.Summary += fmt.Sprintf(", %d twice", s.Duplicates)
	}
	if s.JitterKnown {
		d.Summary += fmt.Sprintf(", jitter %.1f ms on average, %.1f ms at most", ms(s.JitterMean), ms(s.JitterMax))
	}
	d.Summary += fmt.Sprintf(", longest gap %.0f ms", ms(s.LongestGap))
	if lost >= muchLoss || s.JitterMax >= muchJitter {
		d.Tone = Bad
	}
	percent, jitter := make([]float64, len(s.Series.Samples)), make([]float64, len(s.Series.Samples))
	for i, one := range s.Series.Samples {
		gone := max(0, one.Lost)
		if one.Packets+gone > 0 {
			percent[i] = 100 * float64(gone) / float64(one.Packets+gone)
		}
		jitter[i] = ms(one.Jitter)
	}
	every := "each second"
	if s.Series.Every > time.Second {
		every = "each " + s.Series.Every.String()
	}
	d.Loss = chart("Loss of "+every, "loss", " %", percent, leastLoss, s.Series.Samples)
	d.Jitter = chart("Jitter, the highest of "+every, "jitter", " ms", jitter, ms(leastJitter), s.Series.Samples)
	return d
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// chart draws a quantity; least is the lowest value that fills the height.
func chart(name, class, unit string, values []float64, least float64, samples []diagnose.Sample) Chart {
	highest := slices.Max(append(values, 0))
	silent := slices.ContainsFunc(samples, func(s diagnose.Sample) bool { return s.Packets == 0 })
	if highest == 0 && !silent {
		return Chart{Name: name, Scale: "none"}
	}
	top := max(highest, least)
	scale := fmt.Sprintf("highest %.1f%s, height %.0f%s", highest, unit, top, unit)
	if silent {
		scale += "; grey: no packets"
	}
	return Chart{Name: name, Scale: scale, SVG: bars(class, values, top, samples)}
}

// bars draws values, one beside the other, in a height that top fills. Where
// no packet came, the ground is marked.
func bars(class string, values []float64, top float64, samples []diagnose.Sample) template.HTML {
	var bar, none strings.Builder
	for i, v := range values {
		if v > 0 {
			fmt.Fprintf(&bar, "M%d %dV%.1fH%.2fV%dZ", i, chartHeight, chartHeight-v/top*chartHeight, float64(i)+0.9, chartHeight)
		}
		if samples[i].Packets == 0 {
			fmt.Fprintf(&none, "M%d 0V%dH%dV0Z", i, chartHeight, i+1)
		}
	}
	return template.HTML(fmt.Sprintf( //nolint:gosec // numbers
		`<svg class="chart %s" viewBox="0 0 %d %d" preserveAspectRatio="none" role="img" aria-label="%s over time"><path class="none" d="%s"/><path class="bar" d="%s"/></svg>`,
		class, max(1, len(values)), chartHeight, class, none.String(), bar.String()))
}
