package judge

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

// Describe gives a fact in words.
func Describe(f spec.Fact) string {
	switch {
	case f.Event != nil:
		return describe(*f.Event)
	case f.InOrder != nil:
		steps := make([]string, len(f.InOrder))
		for i, e := range f.InOrder {
			steps[i] = describe(e)
		}
		return "in order: " + strings.Join(steps, ", then ")
	default:
		wants := make([]string, len(f.Call.Checks))
		for i, c := range f.Call.Checks {
			wants[i] = wanted(c)
		}
		return fmt.Sprintf("%s of %s: %s", f.Call.Whose.Call, orNone(string(f.Call.Whose.PhoneID)), strings.Join(wants, ", "))
	}
}

// describe gives an event fact in words: "dtmf.in {digit: 5} on b within 2s
// after call.state.confirmed on b, at least 2 times".
func describe(f spec.EventFact) string {
	text := pattern(f)
	if f.Within != 0 {
		text += " within " + f.Within.String()
	}
	if f.After != nil {
		text += " after " + pattern(*f.After)
	}
	one := spec.AtLeast(1)
	switch {
	case f.Count.Max != nil && *f.Count.Max == 0:
		text = "never " + text
	case f.Count.Min == nil && f.Count.Max == nil, f.Count.Max == nil && *f.Count.Min == *one.Min:
	case f.Count.Max != nil && f.Count.Min != nil && *f.Count.Max == 1 && *f.Count.Min == 1:
		text += ", exactly once"
	default:
		text += ", " + f.Count.String() + " times"
	}
	return text
}

// pattern gives what an event has to be: "dtmf.in {digit: 5} on a or b".
func pattern(f spec.EventFact) string {
	var b strings.Builder
	for i, e := range f.Events {
		if i > 0 {
			b.WriteString(" or ")
		}
		b.WriteString(string(e))
	}
	for i, c := range f.Match {
		b.WriteString([]string{", ", " {"}[btoi(i == 0)] + c.Path + ": " + show(c.Want.String()))
	}
	if len(f.Match) > 0 {
		b.WriteString("}")
	}
	for i, id := range f.Phones {
		b.WriteString([]string{" or ", " on "}[btoi(i == 0)] + string(id))
	}
	if !f.Call.IsZero() {
		b.WriteString(" (" + f.Call.String() + ")")
	}
	return b.String()
}

func btoi(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// seen names an event with the fields that matter for a match.
func seen(e phone.Event, m spec.Match) string {
	text := e.Type
	var said []string
	for _, c := range m {
		if v, ok := spec.Lookup(e, c.Path); ok {
			said = append(said, c.Path+": "+show(v))
		}
	}
	if len(said) == 0 {
		for _, name := range []string{"digit", "last_status", "status_code", "status", "reason"} {
			if v, ok := e.Data[name]; ok && v != nil && v != "" && fmt.Sprint(v) != "0" {
				said = append(said, name+": "+show(v))
			}
		}
	}
	if len(said) > 0 {
		text += " {" + strings.Join(said, ", ") + "}"
	}
	if e.PhoneID != "" {
		text += " on " + string(e.PhoneID)
	}
	if e.CallID != nil {
		text += " (" + callText(e.CallID) + ")"
	}
	return text
}

func callText(id *phone.CallID) string {
	if id == nil {
		return "none"
	}
	return fmt.Sprintf("call %d", *id)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// show makes a value fit for a sentence: bounded, and without control
// characters.
func show(v any) string {
	const most = 60
	text := fmt.Sprint(v)
	switch n := v.(type) {
	case nil:
		text = "null"
	case float64:
		text = strconv.FormatFloat(n, 'f', -1, 64)
		if strings.Contains(text, ".") {
			text = strconv.FormatFloat(n, 'f', 2, 64)
		}
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// offset is a time since the run began: "+2.104 s".
func (ev Evidence) offset(at time.Time) string {
	return fmt.Sprintf("%+.3f s", at.Sub(ev.Began).Seconds())
}
