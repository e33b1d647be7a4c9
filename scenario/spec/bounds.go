package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Range is what a number may be, its bounds included; nil is no bound.
type Range struct {
	Min, Max *float64
	Unit     string // after the numbers, for people: " Hz"
}

// AtLeast is n or more.
func AtLeast(n float64) Range { return Range{Min: &n} }

// Exactly is n and nothing else.
func Exactly(n float64) Range { return Range{Min: &n, Max: &n} }

// Holds says whether v is within the bounds; what is no number is not.
func (r Range) Holds(v float64) bool {
	return !math.IsNaN(v) && (r.Min == nil || v >= *r.Min) && (r.Max == nil || v <= *r.Max)
}

// String gives the bounds in words: "at least 3.5", "435 to 445 Hz".
func (r Range) String() string {
	text := func(v *float64) string { return strconv.FormatFloat(*v, 'f', -1, 64) }
	switch {
	case r.Min != nil && r.Max != nil && *r.Min == *r.Max:
		return text(r.Min) + r.Unit
	case r.Min != nil && r.Max != nil:
		return text(r.Min) + " to " + text(r.Max) + r.Unit
	case r.Min != nil:
		return "at least " + text(r.Min) + r.Unit
	case r.Max != nil:
		return "at most " + text(r.Max) + r.Unit
	default:
		return "any number"
	}
}

// toneTolerance is how far a tone may be from the frequency that is named, in
// Hz.
const toneTolerance = 5

// bounds reads a Range. Whether a plain number will do depends on the type: a
// measured value never is exactly what somebody writes.
func (r *reader) bounds(n *Node, p Param) any {
	if n.Kind != Map {
		v, ok := r.bound(n, p)
		switch {
		case !ok:
			return nil
		case p.Type == TypeCount:
			return Exactly(v)
		case p.Type == TypeTone:
			low, high := v-toneTolerance, v+toneTolerance
			return Range{Min: &low, Max: &high, Unit: " Hz"}
		}
		r.fault(n, BadValue, "%s is measured: write {min: …}, {max: …} or both", p.Name)
		return nil
	}
	before := len(r.issues)
	var found Range
	switch p.Type {
	case TypeTone:
		found.Unit = " Hz"
	case TypeSpan:
		found.Unit = " s"
	}
	r.keys(n, "key of "+p.Name, UnknownKey, []Param{{Name: "min"}, {Name: "max"}})
	for name, place := range map[string]**float64{"min": &found.Min, "max": &found.Max} {
		if field := n.Field(name); field != nil && field.Kind != Null && !field.refers() {
			if v, ok := r.bound(field, p); ok {
				*place = &v
			}
		}
	}
	switch {
	case found.Min == nil && found.Max == nil && len(References(n)) == 0 && len(r.issues) == before:
		r.fault(n, BadValue, "%s is empty: write {min: …}, {max: …} or both", p.Name)
	case found.Min != nil && found.Max != nil && *found.Min > *found.Max:
		r.fault(n, BadValue, "%s: min is more than max", p.Name)
	}
	return found
}

func (r *reader) bound(n *Node, p Param) (float64, bool) {
	if p.Type == TypeSpan {
		d, err := time.ParseDuration(n.Text)
		if n.Kind != String || err != nil || d < 0 || d > maxDuration {
			r.wrong(n, p, `a time with its unit, such as "5s" or "1500ms"`)
			return 0, false
		}
		return d.Seconds(), true
	}
	v, ok := number(n.Value)
	if !ok {
		r.wrong(n, p, "a number")
		return 0, false
	}
	if p.Type == TypeCount && (v < 0 || v != math.Trunc(v)) {
		r.wrong(n, p, "a whole number, 0 or more")
		return 0, false
	}
	return v, true
}

// String gives what is wanted in words, for reports.
func (w Want) String() string {
	switch {
	case w.OneOf != nil:
		words := make([]string, len(w.OneOf))
		for i, one := range w.OneOf {
			words[i] = one.String()
		}
		return "one of " + strings.Join(words, ", ")
	case w.Class != 0:
		return fmt.Sprintf("%dxx", w.Class)
	case w.Regexp != nil:
		return "~" + clip(w.Regexp.String())
	case w.Equal == nil:
		return "null"
	}
	if text, ok := scalarText(w.Equal); ok {
		return clip(text)
	}
	return clip(fmt.Sprint(w.Equal))
}
