package spec

import "ringmaster/proto/phone"

// Filter is what somebody waits for outside of a scenario, in the words of a
// hook: types of events, and a match.
type Filter struct {
	Types []EventPattern
	Match Match
}

// ReadFilter reads type (one, a family such as "call.state.*", or a list) and
// match, by the rules of a hook's when and match. A match of nil holds for
// every event.
func ReadFilter(eventType any, match map[string]any) (Filter, Issues) {
	object := map[string]any{"type": eventType}
	if match != nil {
		object["match"] = match
	}
	root, issues := FromObject(object)
	if len(issues) > 0 {
		return Filter{}, issues
	}
	var r reader
	var f Filter
	f.Types, _ = r.events(root.Field("type"), Param{Name: "type", Type: TypeEvents}).([]EventPattern)
	if n := root.Field("match"); n != nil {
		f.Match, _ = r.match(n, Param{Name: "match", Type: TypeMatch}).(Match)
	}
	return f, r.issues
}

// Matches says whether an event is one that is waited for.
func (f Filter) Matches(e phone.Event) bool {
	return AnyMatches(f.Types, e.Type) && f.Match.Holds(e)
}

// NamesTraces says whether the filter asks for events of the kind that come in
// masses; "*" does not.
func (f Filter) NamesTraces() bool {
	for _, p := range f.Types {
		if IsTrace(string(p)) {
			return true
		}
	}
	return false
}
