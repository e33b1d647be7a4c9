package spec

import (
	"encoding/json"
	"strings"
	"testing"

	"ringmaster/proto/phone"
)

func readFilter(t *testing.T, eventType, match string) (Filter, Issues) {
	t.Helper()
	var object map[string]any
	if match != "" {
		d := json.NewDecoder(strings.NewReader(match))
		d.UseNumber()
		if err := d.Decode(&object); err != nil {
			t.Fatal(err)
		}
	}
	return ReadFilter(eventType, object)
}

func TestFilterMatchesAsAHookDoes(t *testing.T) {
	call := phone.CallID(0)
	e := phone.Event{Type: "call.state.disconnected", PhoneID: "a", CallID: &call, Data: map[string]any{
		"last_status": int64(486), "last_status_text": "Busy Here", "headers": map[string]any{"X-Tag": "7"},
	}}
	for _, c := range []struct {
		eventType, match string
		want             bool
	}{
		{"call.state.disconnected", "", true},
		{"call.state.*", `{}`, true},
		{"*", `{"last_status": 486}`, true},
		{"call.state.confirmed", "", false},
		{"*", `{"last_status": "4xx"}`, true},
		{"*", `{"last_status": "5xx"}`, false},
		{"*", `{"last_status": [480, 486]}`, true},
		{"*", `{"last_status_text": "~^Busy"}`, true},
		{"*", `{"last_status_text": "~^busy"}`, false},
		{"*", `{"headers.x-tag": 7}`, true},
		{"*", `{"call_id": 0, "phone_id": "a"}`, true},
		{"*", `{"call_id": 1}`, false},
		{"*", `{"no_such": null}`, false},
	} {
		f, issues := readFilter(t, c.eventType, c.match)
		if len(issues) > 0 {
			t.Errorf("%s %s: %v", c.eventType, c.match, issues)
		} else if got := f.Matches(e); got != c.want {
			t.Errorf("%s %s matches: %v, want %v", c.eventType, c.match, got, c.want)
		}
	}
}

func TestFilterFaults(t *testing.T) {
	for _, c := range []struct{ eventType, match, want string }{
		{"sip.request.MESSAGE", "", `type: unknown event type "sip.request.MESSAGE"; did you mean "sip.request.message"?`},
		{"sip.response.2xx", "", `type: unknown event type "sip.response.2xx"; write sip.response.* and match: {status_code: "2xx"}`},
		{"call.incoming", "", `type: unknown event type "call.incoming"; there are: call.state.calling, call.state.incoming, call.state.early,`},
		{"message", "", `type: unknown event type "message"; there are: action.*, call.*, dtmf.*, im.*, media.*, phone.*, reg.*,`},
		{"call.state.confirmd", "", `type: unknown event type "call.state.confirmd"; did you mean "call.state.confirmed"?`},
		{"", "", "type: "},
		{"dtmf.in", `{"digit": "~("}`, "match.digit: not a regular expression"},
		{"dtmf.in", `{"digit": []}`, "match.digit: an empty list matches nothing"},
	} {
		_, issues := readFilter(t, c.eventType, c.match)
		if len(issues) != 1 || !strings.HasPrefix(issues[0].Error(), c.want) {
			t.Errorf("%q %s: %v, want one issue %q", c.eventType, c.match, issues, c.want)
		}
	}
}

func TestOnlyAFilterThatNamesTracesHasThem(t *testing.T) {
	for eventType, want := range map[string]bool{
		"sip.request.invite": true, "sip.*": true, "media.started": true, "*": false, "call.state.*": false, "user.sip": false,
	} {
		if f, issues := readFilter(t, eventType, ""); len(issues) > 0 || f.NamesTraces() != want {
			t.Errorf("%s names traces: %v (%v), want %v", eventType, f.NamesTraces(), issues, want)
		}
	}
}
