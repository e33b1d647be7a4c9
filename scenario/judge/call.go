package judge

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

const (
	// audible is how much sound, in milliseconds, is something that was heard;
	// less is a click. Silence has to have lasted as long to be one.
	audible = 200
	// steady is the share of what was heard in which a tone has to be the
	// strongest, unless the fact says otherwise.
	steady = 0.5
	// sameTone is how far, in Hz, what was heard may be from what was sent.
	sameTone = 5
)

// call judges what is known of a call.
func (ev Evidence) call(f spec.CallFact) Finding {
	id, why := ev.resolve(f.Whose)
	if id == nil {
		return Finding{Open: true, Msg: fmt.Sprintf("expected of the %s: %s", Describe(spec.Fact{Call: &f}), why)}
	}
	q := Query{f.Whose.PhoneID, *id}
	known := ev.told(q)
	if known.Err != nil {
		return Finding{Msg: fmt.Sprintf("call %d of %s cannot be judged: %s", q.CallID, q.PhoneID, known.Err)}
	}
	var faults []string
	for _, c := range f.Checks {
		if fault := ev.check(f, c, q, known.Data); fault != "" && !slices.Contains(faults, fault) {
			faults = append(faults, fault)
		}
	}
	if len(faults) == 0 {
		return Finding{Held: true, Judged: true, Msg: fmt.Sprintf("call %d of %s is so", q.CallID, q.PhoneID)}
	}
	state, _ := spec.Lookup(phone.Event{Data: known.Data}, "state")
	open := state != phone.StateDisconnected.String() || asks(f, spec.CheckTransfer)
	return Finding{Judged: true, Open: open, Msg: fmt.Sprintf("call %d of %s: %s", q.CallID, q.PhoneID, strings.Join(faults, "; "))}
}

func asks(f spec.CallFact, kind spec.CheckKind) bool {
	for _, c := range f.Checks {
		if c.Kind == kind {
			return true
		}
	}
	return false
}

// resolve finds the call that a fact speaks of, or says why there is none.
func (ev Evidence) resolve(whose spec.CallSelector) (*phone.CallID, string) {
	if whose.Call.IsZero() {
		switch calls := ev.Calls[whose.PhoneID]; len(calls) {
		case 0:
			return nil, fmt.Sprintf("%s had no call in this run", whose.PhoneID)
		case 1:
			return &calls[0], ""
		default:
			return nil, fmt.Sprintf("%s had %d calls in this run; say which by call_id: first, second, last or a number", whose.PhoneID, len(calls))
		}
	}
	return ev.callOf([]phone.ID{whose.PhoneID}, whose.Call)
}

// callOf finds the call of a reference on the one phone that it is about.
func (ev Evidence) callOf(phones []phone.ID, ref spec.CallRef) (*phone.CallID, string) {
	if ref.ID != nil {
		return ref.ID, ""
	}
	if len(phones) != 1 {
		return nil, "it is not said whose call is meant"
	}
	calls := ev.Calls[phones[0]]
	at := ref.Nth - 1
	if ref.Nth == spec.Last {
		at = len(calls) - 1
	}
	if at < 0 || at >= len(calls) {
		return nil, fmt.Sprintf("calls of %s in this run: %d", phones[0], len(calls))
	}
	return &calls[at], ""
}

// told is what the phone said of a call; of one that it can tell nothing of
// any more, what its last event told.
func (ev Evidence) told(q Query) Answer {
	answer, asked := ev.Known[q]
	if asked && answer.Err == nil {
		return answer
	}
	if !asked {
		answer.Err = fmt.Errorf("nobody has asked for it")
	}
	for _, e := range slices.Backward(ev.Events) {
		if e.Type == "call.state.disconnected" && e.PhoneID == q.PhoneID && e.CallID != nil && *e.CallID == q.CallID {
			return Answer{Data: ev.farewell(e)}
		}
	}
	return answer
}

// farewell makes of a call's last event what a phone would tell of the call.
func (ev Evidence) farewell(e phone.Event) map[string]any {
	data := map[string]any{}
	for name, v := range e.Data {
		data[name] = v
	}
	data["state"] = phone.StateDisconnected.String()
	for _, before := range ev.Events {
		if before.Type == "call.state.confirmed" && before.PhoneID == e.PhoneID && before.CallID != nil && *before.CallID == *e.CallID {
			data["duration"] = e.Time.Sub(before.Time).Seconds()
			return data
		}
	}
	data["duration"] = 0.0
	return data
}

// check gives what is wrong with one field, or "".
func (ev Evidence) check(f spec.CallFact, c spec.CallCheck, q Query, data map[string]any) string {
	switch c.Kind {
	case spec.CheckSilence:
		return silence(c, data)
	case spec.CheckTone:
		return tone(c, data, saysPart(f, c))
	case spec.CheckSource:
		return ev.source(c, data)
	case spec.CheckTransfer:
		return ev.transfer(c, q)
	}
	if group, _, _ := strings.Cut(c.Field, "."); group == "heard" || group == "sent" {
		if _, _, fault := direction(c.Field, data); fault != "" {
			return fault
		}
	}
	value, known := spec.Lookup(phone.Event{Data: data}, c.Field)
	switch {
	case !known || value == nil:
		return fmt.Sprintf("%s is not known%s, and should be %s", c.Field, because(c.Field, data), text(c))
	case c.Kind == spec.CheckText && !c.Want.Holds(value):
		return fmt.Sprintf("%s is %s, not %s", c.Field, show(value), text(c))
	case vain(c.Field, data) != "":
		return fmt.Sprintf("%s, and should be %s", vain(c.Field, data), text(c))
	case c.Kind == spec.CheckNumber:
		if n, ok := asFloat(value); !ok || !c.Range.Holds(n) {
			return fmt.Sprintf("%s is %s, not %s", c.Field, show(value), text(c))
		}
	}
	return ""
}

// vain says that a number is 0 only because there was nothing to count, so that
// it keeps below every maximum for no reason of its own; else "".
func vain(field string, data map[string]any) string {
	number := func(path string) float64 {
		value, _ := spec.Lookup(phone.Event{Data: data}, path)
		n, _ := asFloat(value)
		return n
	}
	switch field {
	case "duration":
		if state, _ := data["state"].(string); number(field) == 0 && state != phone.StateConfirmed.String() {
			return "the call was not answered: it has no duration"
		}
	case "rtp.rtt_usec":
		if number(field) == 0 {
			return field + " is not known (no report has come that it could be taken from)"
		}
	case "rtp.rx_loss", "rtp.rx_dup", "rtp.rx_reorder", "rtp.rx_discard", "rtp.rx_jitter_usec":
		if number("rtp.rx_packets") == 0 {
			return field + " is not known (no packets have come)"
		}
	}
	return ""
}

// because says why a field of the media is not known.
func because(field string, data map[string]any) string {
	group, _, nested := strings.Cut(field, ".")
	switch {
	case !nested || group == "rtp":
		return ""
	case data[group] == nil && group == "quality":
		return " (no packets have come)"
	case data[group] == nil:
		return " (the call had no media, or what it heard was lost with the phone's worker)"
	default:
		return fmt.Sprintf(" (%s)", heardText(group, data))
	}
}

// direction gives heard or sent as numbers, or says why it cannot.
func direction(field string, data map[string]any) (sound map[string]any, name, fault string) {
	name, _, _ = strings.Cut(field, ".")
	sound, ok := data[name].(map[string]any)
	if !ok {
		return nil, name, fmt.Sprintf("%s is not known%s", name, because(name+".", data))
	}
	return sound, name, ""
}

func milliseconds(sound map[string]any, names ...string) (sum float64) {
	for _, name := range names {
		v, _ := asFloat(sound[name])
		sum += v
	}
	return sum
}

// heardText says how much of a direction was sound.
func heardText(name string, data map[string]any) string {
	sound, _ := data[name].(map[string]any)
	return fmt.Sprintf("%s %.0f ms, silent %.0f ms, missing %.0f ms", name, milliseconds(sound, "heard_ms"), milliseconds(sound, "silent_ms"), milliseconds(sound, "missing_ms"))
}

func silence(c spec.CallCheck, data map[string]any) string {
	sound, name, fault := direction(c.Field, data)
	if fault != "" {
		return fault
	}
	heard, lasted := milliseconds(sound, "heard_ms"), milliseconds(sound, "heard_ms", "silent_ms", "missing_ms")
	switch {
	case !c.Yes && heard < audible:
		return fmt.Sprintf("%s is silent: %s", name, heardText(name, data))
	case c.Yes && heard >= audible:
		return fmt.Sprintf("%s is not silent: %s", name, heardText(name, data))
	case c.Yes && lasted < audible:
		return fmt.Sprintf("%s cannot be called silent: the media was up for %.0f ms only", name, lasted)
	}
	return ""
}

func tone(c spec.CallCheck, data map[string]any, partGiven bool) string {
	sound, name, fault := direction(c.Field, data)
	if fault != "" {
		return fault
	}
	hz, known := asFloat(sound["tone_hz"])
	switch {
	case milliseconds(sound, "heard_ms") < audible:
		return fmt.Sprintf("%s is too little to have a tone of %s: %s", name, c.Range, heardText(name, data))
	case !known:
		return fmt.Sprintf("no tone stands out in %s, and %s was expected", name, c.Range)
	case !c.Range.Holds(hz):
		return fmt.Sprintf("%s is %.1f Hz, not %s", c.Field, hz, c.Range)
	}
	if part, _ := asFloat(sound["tone_part"]); !partGiven && part < steady {
		return fmt.Sprintf("%s is %.1f Hz, and only in %.0f %% of what was heard; give tone_part if that will do", c.Field, hz, 100*part)
	}
	return ""
}

// saysPart says whether the fact itself bounds the part of the tone.
func saysPart(f spec.CallFact, c spec.CallCheck) bool {
	name, _, _ := strings.Cut(c.Field, ".")
	for _, other := range f.Checks {
		if other.Field == name+".tone_part" {
			return true
		}
	}
	return false
}

// source judges whether what one call heard is what another sent.
func (ev Evidence) source(c spec.CallCheck, data map[string]any) string {
	call, why := ev.resolve(c.From)
	if call == nil {
		return "heard.from: " + why
	}
	other := ev.told(Query{c.From.PhoneID, *call})
	if other.Err != nil {
		return fmt.Sprintf("heard.from: what %s sent in call %d cannot be told: %s", c.From.PhoneID, *call, other.Err)
	}
	var hz [2]float64
	for i, side := range []struct {
		field string
		data  map[string]any
	}{{"heard.from", data}, {"sent.from", other.Data}} {
		sound, name, fault := direction(side.field, side.data)
		if fault != "" {
			return "heard.from: " + fault
		}
		found, known := asFloat(sound["tone_hz"])
		if part, _ := asFloat(sound["tone_part"]); !known || part < steady || milliseconds(sound, "heard_ms") < audible {
			return fmt.Sprintf("heard.from: no steady tone in what %s %s, to tell its source by (%s)",
				[]string{"the call", string(c.From.PhoneID)}[i], name, heardText(name, side.data))
		}
		hz[i] = found
	}
	if math.Abs(hz[0]-hz[1]) > sameTone {
		return fmt.Sprintf("heard.from: %.1f Hz was heard, and %s sent %.1f Hz", hz[0], c.From.PhoneID, hz[1])
	}
	return ""
}

// transfer judges how a transfer that the call asked for ended.
func (ev Evidence) transfer(c spec.CallCheck, q Query) string {
	want, last := "transfer."+fmt.Sprint(c.Want.Equal), ""
	for _, e := range ev.Events {
		if !strings.HasPrefix(e.Type, "transfer.") || e.PhoneID != q.PhoneID || e.CallID == nil || *e.CallID != q.CallID {
			continue
		}
		if e.Type == want {
			return ""
		}
		last = fmt.Sprintf("; saw %s at %s", seen(e, nil), ev.offset(e.Time))
	}
	if last == "" {
		last = "; no transfer was seen on it"
	}
	return "no " + want + last
}

// text is what a check wants of its field.
func text(c spec.CallCheck) string {
	if c.Kind == spec.CheckNumber {
		return c.Range.String()
	}
	return show(c.Want.String())
}

// wanted gives a check in words.
func wanted(c spec.CallCheck) string {
	switch c.Kind {
	case spec.CheckSilence:
		return fmt.Sprintf("%s %v", c.Field, c.Yes)
	case spec.CheckTone:
		return c.Field + " " + c.Range.String()
	case spec.CheckSource:
		return "heard.from " + string(c.From.PhoneID)
	default:
		return c.Field + " " + text(c)
	}
}

func asFloat(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
