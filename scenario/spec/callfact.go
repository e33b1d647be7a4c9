package spec

import (
	"slices"
	"strings"
)

// CheckKind says how a CallCheck is judged.
type CheckKind int

// The kinds of check.
const (
	CheckText     CheckKind = iota // Want holds for the field
	CheckNumber                    // Range holds for the field
	CheckSilence                   // Yes: nothing was to be heard; otherwise, something was
	CheckTone                      // Range holds for the strongest tone, and it was there most of the time
	CheckSource                    // the tone is the one that the call of From sent
	CheckTransfer                  // an event transfer.<Want> came for the call
)

// CallCheck wants something of one field of a call.
type CallCheck struct {
	Kind  CheckKind
	Field string // as get_call_info names it, dotted: "heard.tone_hz"
	Want  Want
	Range Range
	Yes   bool
	From  CallSelector
}

// callField is a key of a call's fact: its Param, and the field of
// get_call_info that it is about when that has another name.
type callField struct {
	Param
	kind  CheckKind
	field string
}

var callFields = []callField{
	{Param{Name: "state", Type: TypeString, OneOf: []string{"calling", "incoming", "early", "connecting", "confirmed", "disconnected"}}, CheckText, ""},
	{Param{Name: "direction", Type: TypeString, OneOf: []string{"inbound", "outbound"}}, CheckText, ""},
	{Param{Name: "remote_uri", Type: TypeWant}, CheckText, ""},
	{Param{Name: "codec", Type: TypeWant}, CheckText, ""},
	{Param{Name: "last_status", Type: TypeWant}, CheckText, ""},
	{Param{Name: "last_status_text", Type: TypeWant}, CheckText, ""},
	{Param{Name: "duration", Type: TypeSpan}, CheckNumber, ""},
	{Param{Name: "on_hold", Type: TypeBoolean}, CheckText, ""},
	{Param{Name: "transfer", Type: TypeString, OneOf: []string{"accepted", "succeeded", "failed"}}, CheckTransfer, ""},
	{Param{Name: "mos", Type: TypeBounds}, CheckNumber, "quality.mos"},
	{Param{Name: "r_factor", Type: TypeBounds}, CheckNumber, "quality.r_factor"},
	{Param{Name: "loss_percent", Type: TypeBounds}, CheckNumber, "quality.loss_percent"},
	{Param{Name: "jitter_ms", Type: TypeBounds}, CheckNumber, "quality.jitter_ms"},
	{Param{Name: "rtp", Type: TypeRTP}, CheckNumber, ""},
	{Param{Name: "heard", Type: TypeAudio}, CheckNumber, ""},
	{Param{Name: "sent", Type: TypeAudio}, CheckNumber, ""},
}

// audioFields are what a fact can say of one direction of a call's audio.
var audioFields = []callField{
	{Param{Name: "silence", Type: TypeBoolean}, CheckSilence, ""},
	{Param{Name: "tone_hz", Type: TypeTone}, CheckTone, ""},
	{Param{Name: "level_dbov", Type: TypeBounds}, CheckNumber, ""},
	{Param{Name: "peak_dbov", Type: TypeBounds}, CheckNumber, ""},
	{Param{Name: "tone_part", Type: TypeBounds}, CheckNumber, ""},
	{Param{Name: "heard_ms", Type: TypeBounds}, CheckNumber, ""},
	{Param{Name: "silent_ms", Type: TypeBounds}, CheckNumber, ""},
	{Param{Name: "missing_ms", Type: TypeBounds}, CheckNumber, ""},
}

// heardFields know, too, whose sound it is to be.
func heardFields() []callField {
	return append(slices.Clone(audioFields), callField{Param{Name: "from", Type: TypeSelector}, CheckSource, ""})
}

var rtpFields = []callField{
	counter("tx_packets"), counter("tx_bytes"), counter("rx_packets"), counter("rx_bytes"), counter("rx_loss"),
	counter("rx_dup"), counter("rx_reorder"), counter("rx_discard"), counter("rx_jitter_usec"), counter("rtt_usec"),
}

func counter(name string) callField {
	return callField{Param{Name: name, Type: TypeCount}, CheckNumber, ""}
}

func callFactParams() []Param {
	return append([]Param{{Name: "call", Type: TypeSelector, Required: true}}, paramsOf(callFields)...)
}

func paramsOf(fields []callField) []Param {
	params := make([]Param, len(fields))
	for i, f := range fields {
		params[i] = f.Param
	}
	return params
}

func (r *reader) callFact(n *Node) *CallFact {
	before := len(r.issues)
	a := r.table(n, tableOf{"key of a call's fact", "the fact", callFactParams()}, n.Fields)
	f := &CallFact{Whose: arg(a, "call", CallSelector{}), Checks: checks(callFields, a, "")}
	if len(f.Checks) == 0 && len(r.issues) == before {
		r.fault(n, Missing, "the fact says nothing of the call; give codec, duration, heard or another field")
	}
	return f
}

// group reads heard, sent or rtp.
func (r *reader) group(n *Node, p Param) any {
	fields := audioFields
	switch p.Name {
	case "heard":
		fields = heardFields()
	case "rtp":
		fields = rtpFields
	}
	if n.Kind != Map || len(n.Fields) == 0 {
		return r.wrong(n, p, "a mapping such as {"+fields[1].Name+": …}")
	}
	return checks(fields, r.table(n, tableOf{"key of " + p.Name, p.Name, paramsOf(fields)}, n.Fields), p.Name+".")
}

// checks turns what was read into checks, in the order of the fields.
func checks(fields []callField, a args, prefix string) []CallCheck {
	var list []CallCheck
	for _, f := range fields {
		value, given := a[f.Name]
		if !given {
			continue
		}
		check := CallCheck{Kind: f.kind, Field: prefix + f.Name}
		if f.field != "" {
			check.Field = f.field
		}
		switch v := value.(type) {
		case []CallCheck:
			list = append(list, v...)
			continue
		case Want:
			check.Want = v
		case Range:
			check.Range = v
		case bool:
			check.Want, check.Yes = Want{Equal: v}, v
		case string:
			check.Want = Want{Equal: v}
			if f.Name == "state" {
				check.Want = Want{Equal: strings.ToUpper(v)}
			}
		case CallSelector:
			check.From = v
		}
		list = append(list, check)
	}
	return list
}

// Calls gives the calls that the fact is about: whose it is, and whose sound.
func (f CallFact) Calls() []CallSelector {
	list := []CallSelector{f.Whose}
	for _, c := range f.Checks {
		if c.Kind == CheckSource {
			list = append(list, c.From)
		}
	}
	return list
}
