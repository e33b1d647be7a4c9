package spec

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

const whole = `
name: ivr
description: everything once
phones: [a, b]
patterns:
  - {use: auto-answer, phone_id: b, delay_ms: 200}
initial_actions:
  - {make_call: {from_phone: a, dest_uri: "sip:b@127.0.0.1", headers: {X-Test: 1}}}
  - wait_until: {event: call.state.confirmed, phone_id: a, timeout_ms: 2s}
hooks:
  - when: [call.state.confirmed, "dtmf.*"]
    on_phone: a
    match: {last_status: "4xx", reason: "~^Busy", digit: [1, "#"]}
    once: false
    then:
      - hangup
      - send_dtmf: 0123
      - {action: send_dtmf, digits: "12#,4", phone_id: b, call_id: 0}
      - {hangup: {call_id: 7}, on_error: continue}
      - wait: 1.5s
stop_on:
  - {phone_id: a, event: call.state.disconnected, call_id: 2, match: {last_status: 200}}
timeout_ms: 5000
timeline: full
`

func mustRead(t *testing.T, text string) Scenario {
	t.Helper()
	root, issues := ParseYAML("t.yaml", []byte(text))
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	s, issues := Read("t.yaml", root)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	return s
}

func TestReadWholeScenario(t *testing.T) {
	s := mustRead(t, whole)
	if s.Name != "ivr" || s.Timeout != 5*time.Second || !s.FullTimeline || !reflect.DeepEqual(s.Phones, []phone.ID{"a", "b"}) {
		t.Errorf("settings: %+v", s)
	}
	wantInitial := []Action{
		{Name: "make_call", PhoneID: "a", Step: MakeCall{To: "sip:b@127.0.0.1", Headers: map[string]string{"X-Test": "1"}}},
		{Name: "wait_until", Step: WaitUntil{Events: []EventPattern{"call.state.confirmed"}, Phones: []phone.ID{"a"}, Timeout: 2 * time.Second}},
	}
	if !reflect.DeepEqual(s.Initial, wantInitial) {
		t.Errorf("initial actions:\n got %+v\nwant %+v", s.Initial, wantInitial)
	}
	zero, seven := phone.CallID(0), phone.CallID(7)
	wantThen := []Action{
		{Name: "hangup", Step: Hangup{}},
		{Name: "send_dtmf", Step: SendDTMF{Digits: "0123"}},
		{Name: "send_dtmf", Step: SendDTMF{Digits: "12#,4"}, PhoneID: "b", CallID: &zero},
		{Name: "hangup", Step: Hangup{}, CallID: &seven, ContinueOnError: true},
		{Name: "wait", Step: Wait{For: 1500 * time.Millisecond}},
	}
	if len(s.Hooks) != 1 || !reflect.DeepEqual(s.Hooks[0].Then, wantThen) || s.Hooks[0].Once || len(s.Hooks[0].Match) != 3 {
		t.Errorf("hooks: %+v", s.Hooks)
	}
	if len(s.StopOn) != 1 || *s.StopOn[0].CallID != 2 || s.StopOn[0].Path != "stop_on[0]" {
		t.Errorf("stop_on: %+v", s.StopOn)
	}
}

// An object and a text say the same.
func TestObjectEqualsText(t *testing.T) {
	root, _ := ParseYAML("", []byte(whole))
	raw, err := json.Marshal(root.Plain())
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	// JSON has no 0123: the digits must be a string there.
	object["hooks"].([]any)[0].(map[string]any)["then"].([]any)[1] = map[string]any{"send_dtmf": "0123"}
	tree, issues := FromObject(object)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	got, issues := Read("", tree)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	want := mustRead(t, whole)
	got.Patterns, want.Patterns = nil, nil // they hold nodes with positions
	// Fields of an object have no order.
	got.Hooks[0].Match, want.Hooks[0].Match = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("object:\n%+v\ntext:\n%+v", got, want)
	}
}

func TestIssues(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"syntax", "hooks: [", "t.yaml:1:1: not YAML: "},
		{"empty", "", "t.yaml:1:1: the text is empty"},
		{"two documents", "name: a\n---\nname: b\n", "t.yaml:2:1: a second document"},
		{"no mapping", "- a\n", "t.yaml:1:1: a scenario is a mapping, not a list"},
		{"unknown key", "nmae: x\n", `t.yaml:1:1: unknown scenario key "nmae"; did you mean "name"?`},
		{"duplicate key", "name: x\nname: y\n", `t.yaml:2:1: duplicate key "name"; it is already on line 1`},
		{"bad phone", "phones: [A]\n", "t.yaml:1:10: phone_id \"A\" is invalid"},
		{"unknown action", "initial_actions:\n  - send_dmtf: 1\n", `t.yaml:2:5: unknown action "send_dmtf"; did you mean "send_dtmf"?`},
		{"unknown action word", "initial_actions: [hangpu]\n", `t.yaml:1:19: unknown action "hangpu"; did you mean "hangup"?`},
		{"action form", "initial_actions: [{action: hangupp}]\n", `did you mean "hangup"?`},
		{"two actions", "initial_actions: [{hangup: {}, hold: {}}]\n", "two actions in one step"},
		{"unknown argument", "initial_actions: [{hangup: {phone: a}}]\n", `unknown argument of hangup "phone"`},
		{"missing argument", "initial_actions: [{make_call: {phone_id: a}}]\n", "make_call needs to"},
		{"null argument", "initial_actions: [{make_call: {phone_id: a, to: null}}]\n", "make_call needs to"},
		{"not a URI", "initial_actions: [{make_call: {phone_id: a, to: b}}]\n", "to takes a SIP URI"},
		{"digits", "initial_actions: [{send_dtmf: 12x, phone_id: a}]\n", "digits takes digits 0-9 * # A-D"},
		{"answer code", "initial_actions: [{answer: 199, phone_id: a}]\n", "code is \"199\"; it takes one of: 180, 183, 200"},
		{"reject code", "initial_actions: [{reject: 200, phone_id: a}]\n", "code is 200; it takes 300 to 699"},
		{"duration", "initial_actions: [{wait: 2 sec}]\n", "ms takes a duration"},
		{"negative duration", "initial_actions: [{wait: -1}]\n", "ms takes a duration from 0 to 24h"},
		{"fraction of ms", "initial_actions: [{wait: 1.5}]\n", "ms takes a duration"},
		{"header injection", "initial_actions: [{make_call: {phone_id: a, to: 'sip:b@c', headers: {X: \"1\\r\\nY: 2\"}}}]\n", "header X takes one line"},
		{"half a transfer", "initial_actions: [{attended_transfer: {phone_id: a, call_id: 1}}]\n", "takes both call_id and dest_call_id, or neither"},
		{"conference of one", "initial_actions: [{conference: [1], phone_id: a}]\n", "at least two calls, or auto"},
		{"initial without phone", "initial_actions: [hangup]\n", "hangup needs phone_id: no event comes before"},
		{"hook without phone", "hooks: [{when: scenario.started, then: hangup}]\n", "hangup needs phone_id: the hook has no on_phone"},
		{"hook without when", "hooks: [{then: hangup}]\n", "the hook has no when"},
		{"hook without then", "hooks: [{when: dtmf.in}]\n", "the hook has no then"},
		{"hook key", "hooks: [{when: dtmf.in, tehn: hangup}]\n", `unknown hook key "tehn"; did you mean "then"?`},
		{"hook id twice", "hooks: [{id: x, when: dtmf.in, then: hangup}, {id: x, when: dtmf.in, then: hangup}]\n", `duplicate hook id "x"`},
		{"unknown event", "hooks: [{when: call.state.confirmd, then: hangup}]\n", `unknown event type "call.state.confirmd"; did you mean "call.state.confirmed"?`},
		{"unknown family", "hooks: [{when: cal.*, then: hangup}]\n", `unknown event type "cal.*"`},
		{"bad regex", "hooks: [{when: dtmf.in, match: {digit: '~['}, then: hangup}]\n", "not a regular expression"},
		{"empty one-of", "hooks: [{when: dtmf.in, match: {digit: []}, then: hangup}]\n", "an empty list matches nothing"},
		{"stop without event", "stop_on: [{phone_id: a}]\n", "the entry of stop_on has no event"},
		{"stop no list", "stop_on: {event: dtmf.in}\n", "stop_on takes a list, not a mapping"},
		{"no time", "timeout_ms: 0\n", "timeout_ms is 0"},
		{"emit name", "initial_actions: [{emit: 'a b'}]\n", `emit: "a b" is not a name`},
		{"on_error", "initial_actions: [{hold: {phone_id: a}, on_error: contine}]\n", `did you mean "continue"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, issues := ParseYAML("t.yaml", []byte(c.text))
			if root != nil {
				_, more := Read("t.yaml", root)
				issues = append(issues, more...)
			}
			if len(issues) != 1 {
				t.Fatalf("%d issues, want one:\n%s", len(issues), issues.Error())
			}
			if got := issues[0].Error(); !strings.Contains(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	root, _ := ParseYAML("t.yaml", []byte("nmae: x\nphones: [A]\nhooks:\n  - {when: dtmf.inn, then: hangup}\nstop_on: [{event: x}]\n"))
	_, issues := Read("t.yaml", root)
	var lines []int
	for _, i := range issues {
		lines = append(lines, i.Line)
	}
	if want := []int{1, 2, 4, 5}; !reflect.DeepEqual(lines, want) {
		t.Errorf("lines %v, want %v:\n%s", lines, want, issues.Error())
	}
}

func TestIssueOfObject(t *testing.T) {
	tree, _ := FromObject(map[string]any{"hooks": []any{map[string]any{"when": "dtmf.in", "then": []any{map[string]any{"send_dtmf": true}}}}})
	_, issues := Read("", tree)
	if len(issues) != 1 || issues[0].Error() != "hooks[0].then[0].send_dtmf: digits takes a string, not a boolean" {
		t.Fatal(issues)
	}
	raw, err := json.Marshal(issues[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"column":null,"file":null,"kind":"wrong_type","line":null,"msg":"hooks[0].then[0].send_dtmf: digits takes a string, not a boolean","nearest":null,"path":"hooks[0].then[0].send_dtmf"}`
	if string(raw) != want {
		t.Errorf("got %s", raw)
	}
}

// A text that unfolds without end is refused, not unfolded.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll("aN: &aN [*aP, *aP, *aP, *aP, *aP, *aP, *aP, *aP, *aP, *aP]\n", "N", string(rune('0'+i))), "P", string(rune('0'+i-1))))
	}
	_, issues := ParseYAML("t.yaml", []byte(b.String()))
	if len(issues) != 1 || !strings.Contains(issues[0].Msg, "too large") {
		t.Errorf("issues: %v", issues)
	}
}

func TestMatch(t *testing.T) {
	call := phone.CallID(7)
	event := phone.Event{Type: "call.state.disconnected", PhoneID: "a", CallID: &call, Data: map[string]any{
		"last_status": int64(486), "reason": "Busy Here", "digit": "5", "synthetic": true, "nothing": nil, "loss": 1.5,
		"headers": map[string]any{"Contact": []any{"<sip:x@y>", "<sip:z@y>"}, "X-Id": "9"}, "call_id": "data wins",
	}}
	for _, c := range []struct {
		match string
		want  bool
	}{
		{`{last_status: 486}`, true},
		{`{last_status: "486"}`, true},
		{`{last_status: 487}`, false},
		{`{last_status: 4xx}`, true},
		{`{last_status: 5xx}`, false},
		{`{reason: 4xx}`, false},
		{`{last_status: [480, 5xx, 486]}`, true},
		{`{last_status: [480, 5xx]}`, false},
		{`{reason: "~^Busy"}`, true},
		{`{reason: "~^busy"}`, false},
		{`{reason: "~(?i)here$"}`, true},
		{`{last_status: "~^48"}`, true},
		{`{reason: Busy}`, false},
		{`{digit: 5}`, true},
		{`{digit: 6}`, false},
		{`{synthetic: true}`, true},
		{`{synthetic: false}`, false},
		{`{nothing: null}`, true},
		{`{missing: null}`, false},
		{`{reason: null}`, false},
		{`{loss: 1.5}`, true},
		{`{loss: [1, 2]}`, false},
		{`{headers.x-id: 9}`, true},
		{`{headers.Contact: "~sip:z"}`, true},
		{`{headers.Contact: "<sip:x@y>"}`, true},
		{`{headers.Contact: "~sip:w"}`, false},
		{`{headers.Nope: x}`, false},
		{`{phone_id: a, type: "~disconnected$"}`, true},
		{`{phone_id: b}`, false},
		{`{call_id: data wins}`, true},
		{`{last_status: 486, reason: no}`, false},
		{`{}`, true},
	} {
		root, _ := ParseYAML("", []byte(c.match))
		r := &reader{}
		m, ok := r.match(root, Param{Name: "match"}).(Match)
		if !ok || len(r.issues) > 0 {
			t.Fatal(c.match, r.issues)
		}
		if got := m.Holds(event); got != c.want {
			t.Errorf("%s: %v, want %v", c.match, got, c.want)
		}
	}
	bare := phone.Event{Type: "user.x"}
	root, _ := ParseYAML("", []byte(`{phone_id: null, call_id: null}`))
	if m := (&reader{}).match(root, Param{}).(Match); !m.Holds(bare) {
		t.Error("an event without phone and call has null for both")
	}
}

func TestEventPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern EventPattern
		event   string
		want    bool
	}{
		{"dtmf.in", "dtmf.in", true}, {"dtmf.in", "dtmf.out", false},
		{"call.state.*", "call.state.early", true}, {"call.*", "call.state.early", true},
		{"call.state.*", "call.statement", false}, {"*", "user.x", true}, {"*", "reg.failed", true},
		{"*", "scenario.started", false}, {"*", "action.failed", false}, {"scenario.*", "scenario.stopped", true},
	} {
		if got := c.pattern.Matches(c.event); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.event, got)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"send_dtmf", "hangup", "hangup_all", "hold", "unhold"}
	for word, want := range map[string]string{"send_dmtf": "send_dtmf", "Hangup": "hangup", "send-dtmf": "send_dtmf", "hodl": "hold", "teleport": "", "x": ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// Whatever a text holds, reading it ends and does not panic.
func FuzzRead(f *testing.F) {
	f.Add(whole)
	f.Add("hooks: [{when: *a, then: &a [hangup]}]")
	f.Add("<<: {name: x}\n1: 2\n? [a]\n: b\n")
	f.Fuzz(func(t *testing.T, text string) {
		if root, _ := ParseYAML("f", []byte(text)); root != nil {
			_, _ = Read("f", root) // that it returns is what is tested
		}
	})
}
