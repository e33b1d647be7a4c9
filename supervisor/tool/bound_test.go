package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"ringmaster/proto/phone"
)

// unbounded are the lists of results that cannot be long, or may not be cut.
var unbounded = map[string]string{
	"tools":                    "22 names",
	"codecs":                   "a few names",
	"call_ids":                 "the two to eight that were asked for",
	"affected_call_ids":        "numbers",
	"codec_reinvited_call_ids": "numbers",
	"dropped":                  "phone_ids of 32 characters",
	"errors":                   "errors are never cut",
	"patterns_used":            "names of the scenario that was given",
	"checked":                  "names of rules",

	"rtcp_flows":                     "under 100 bytes for each call of the capture; rtp_flows, of many more, gives way",
	"phone_rtp_codecs_seen":          "a few names",
	"non_phone_codecs_on_phone_port": "a few names",
}

func TestEveryListOfEveryResultCanBeCut(t *testing.T) {
	s := newSet(newFake("a"))
	for _, e := range append(s.static, s.actions...) {
		if e.result == reflect.TypeFor[Answer]() || e.result.Kind() != reflect.Struct {
			continue
		}
		cuts := 0
		for i := range e.result.NumField() {
			f := e.result.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			kind := f.Type
			if kind.Kind() == reflect.Pointer {
				kind = kind.Elem()
			}
			if f.Tag.Get("cut") != "" {
				cuts++
			} else if kind.Kind() == reflect.Slice && unbounded[name] == "" {
				t.Errorf("%s: the list %s has no tag cut", e.name, name)
			}
		}
		if cuts > 1 {
			t.Errorf("%s has %d lists to cut, and only the first is", e.name, cuts)
		}
	}
}

func TestListsOfCallsAreBounded(t *testing.T) {
	f := newFake("a")
	var calls []phone.CallInfo
	for i := range 600 {
		calls = append(calls, phone.CallInfo{CallID: phone.CallID(i), State: phone.StateConfirmed, RemoteURI: "sip:" + strings.Repeat("u", 900)})
	}
	f.outcomes["phone.ListCalls"] = phone.Outcome{Calls: calls}
	s := newSet(f)
	for _, c := range []struct{ tool, arguments, list string }{
		{"list_calls", `{}`, "calls"}, {"get_active_calls", `{}`, "calls"}, {"get_phone", `{"phone_id": "a"}`, "active_calls"},
	} {
		tool := c.tool
		answer := find(t, s, tool).Call(context.Background(), json.RawMessage(c.arguments))
		if len(answer.JSON) > answerBound {
			t.Errorf("the answer of %s has %d bytes", tool, len(answer.JSON))
		}
		var got map[string]json.RawMessage
		var rows []struct {
			CallID phone.CallID `json:"call_id"`
		}
		if err := json.Unmarshal(answer.JSON, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got[c.list], &rows); err != nil || len(rows) < 50 {
			t.Fatalf("%s: %d calls, %v", tool, len(rows), err)
		}
		if want := fmt.Sprintf(`"%d older entries are missing`, 600-len(rows)); !strings.HasPrefix(string(got["truncated"]), want) {
			t.Errorf("%s: %s, want %s", tool, got["truncated"], want)
		}
		for _, count := range []string{"total_count", "active_count"} {
			if n, there := got[count]; there && string(n) != fmt.Sprint(len(rows)) {
				t.Errorf("%s: %s is %s of %d", tool, count, n, len(rows))
			}
		}
		if first := rows[0].CallID; tool == "list_calls" && first != 0 {
			t.Errorf("list_calls begins with call %d", first)
		}
	}
}
