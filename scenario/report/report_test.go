package report

import (
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

var update = flag.Bool("update", false, "write the golden files")

func sample() timeline.Result {
	a, zero, hook, pattern := phone.ID("a"), phone.CallID(0), "patterns[0].send", "send-dtmf-on-confirmed"
	wav, name := "/recordings/a/call_0.wav", "send_dtmf"
	began := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
	return timeline.Result{
		ScenarioName: "basic", Status: timeline.Failed, Reason: "send_dtmf in patterns[0].send failed: a refused: 488 (no stop_on came)", ElapsedMS: 1234, StartedAt: began,
		Timeline: []timeline.Entry{
			{Kind: timeline.Event, TS: timeline.Seconds(began), OffsetMS: 0.25, Type: "call.state.confirmed", PhoneID: &a, CallID: &zero, Data: map[string]any{"last_status": int64(200), "last_status_text": "OK\x1b[2J", "codec": "PCMA", "state": "confirmed", "remote_uri": "sip:b@127.0.0.1", "reason": ""}},
			{Kind: timeline.Event, OffsetMS: 1, Type: "im.received", PhoneID: &a, Data: map[string]any{"body": "\x1b[2Jhello\r\nworld", "from": nil}},
			{Kind: timeline.Meta, OffsetMS: 1.5, Type: "hook.fired", Data: map[string]any{"event": "x"}, HookID: &hook, PatternName: &pattern},
			{Kind: timeline.Action, OffsetMS: 2, Type: "send_dtmf", PhoneID: &a, CallID: &zero, Data: map[string]any{"digits": "1234#"}, HookID: &hook, PatternName: &pattern},
			{Kind: timeline.Event, OffsetMS: 3, Type: "action.failed", PhoneID: &a, CallID: &zero, Data: map[string]any{"error": "a refused: 488"}},
		},
		Expectations: []timeline.Expectation{
			{Path: "expect[0]", Fact: "call.state.confirmed on a", Held: true, Msg: "once, at +0.000 s"},
			{Path: "expect[1]", Fact: "dtmf.in {digit: 5} on b", Msg: "expected dtmf.in {digit: 5} on b; nothing of the kind was seen <b>\x1b[2J"},
		},
		Errors:       []timeline.Fault{{Kind: timeline.Unmet, Msg: "expect[1]: expected dtmf.in {digit: 5} on b; nothing of the kind was seen <b>\x1b[2J"}, {Kind: timeline.ActionFailed, Msg: "send_dtmf in patterns[0].send failed: a refused: 488", Action: &name, PhoneID: &a, CallID: &zero, HookID: &hook, PatternName: &pattern}},
		Artifacts:    map[phone.ID]*timeline.Artifact{"a": {Recording: &wav}, "b": nil},
		PatternsUsed: []string{pattern},
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile("testdata/"+file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/" + file)
	if err != nil || got != string(want) {
		t.Errorf("%s differs (%v); got:\n%s", file, err, got)
	}
}

func TestForms(t *testing.T) {
	var plain, colour, object, junit strings.Builder
	ok := timeline.Result{ScenarioName: "fine", Status: timeline.OK, Reason: "ran its full 10 ms", ElapsedMS: 10, StartedAt: sample().StartedAt}
	broken := timeline.Result{ScenarioName: "broken", Status: timeline.Error, Reason: `phone_id "x" not found`, StartedAt: sample().StartedAt}
	for _, err := range []error{
		Style{}.Text(&plain, sample()), Style{Colour: true}.Text(&colour, sample()), JSON(&object, sample()),
		JUnit(&junit, []Ran{{"basic.yaml", sample()}, {"fine.yaml", ok}, {"broken.yaml", broken}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "plain.txt", plain.String())
	golden(t, "result.json", object.String())
	golden(t, "junit.xml", junit.String())
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("plain text holds escape sequences")
	}
	if strings.Count(colour.String(), "\x1b[2J") > 0 || !strings.Contains(colour.String(), "\x1b[31m") {
		t.Error("colour: ours only")
	}
	var back timeline.Result
	if err := json.Unmarshal([]byte(object.String()), &back); err != nil || back.Status != timeline.Failed || len(back.Timeline) != 5 {
		t.Errorf("%v %+v", err, back)
	}
	var suites junitSuites
	if err := xml.Unmarshal([]byte(junit.String()), &suites); err != nil || suites.Suite.Failures != 2 || suites.Suite.Errors != 1 || suites.Suite.Tests != 5 {
		t.Errorf("%v %+v", err, suites)
	}
}
