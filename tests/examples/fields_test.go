package examples

import (
	"maps"
	"slices"
	"testing"

	"ringmaster/scenario"
	"ringmaster/scenario/timeline"
)

// fields are the names in the data of events, by their types.
type fields map[string]map[string]bool

func (f fields) add(r result) {
	for _, e := range r.Timeline {
		if e.Kind != timeline.Event {
			continue
		}
		if f[e.Type] == nil {
			f[e.Type] = map[string]bool{}
		}
		for name, value := range e.Data {
			f[e.Type][name] = true
			inner, _ := value.(map[string]any)
			for within := range inner {
				f[e.Type][name+"."+within] = true
			}
		}
	}
}

// check lets a fact ask for every field that phones have given: facts take no
// field that they do not know.
func (f fields) check(t *testing.T) {
	t.Helper()
	patterns, _, err := scenario.Patterns()
	if err != nil {
		t.Fatal(err)
	}
	for _, eventType := range slices.Sorted(maps.Keys(f)) {
		for name := range f[eventType] {
			fact := map[string]any{"event": eventType, "match": map[string]any{name: 200}}
			if _, issues := scenario.Check(map[string]any{"expect": []any{fact}}, patterns); len(issues) > 0 {
				t.Errorf("phones give %s of %s, and a fact cannot ask for it: %s", name, eventType, issues.Error())
			}
		}
	}
	for _, eventType := range []string{"call.state.disconnected", "dtmf.in", "reg.success", "im.received", "transfer.succeeded"} {
		if len(f[eventType]) == 0 {
			t.Errorf("no example has %s", eventType)
		}
	}
}
