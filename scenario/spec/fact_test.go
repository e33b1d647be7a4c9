package spec

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

func TestReadFacts(t *testing.T) {
	s := mustRead(t, `
phones: [a, b]
expect:
  - call.state.confirmed
  - {event: dtmf.in, phone_id: b, call_id: first, match: {digit: 5}, within_ms: 2s, after: {event: call.state.confirmed, phone_id: b}, count: {min: 1, max: 3}}
  - {event: [reg.failed, phone.exited], never: true}
  - in_order:
      - {event: call.state.early, phone_id: a}
      - {event: call.state.confirmed, phone_id: a, within_ms: 500}
  - {call: a, codec: PCMA, duration: {min: 1s, max: "1.5s"}, mos: {min: 4}, state: disconnected, last_status: 2xx, transfer: succeeded}
  - call: {phone_id: b, call_id: last}
    heard: {tone_hz: 440, level_dbov: {min: -25, max: -15}, silence: false, from: a}
    sent: {tone_hz: {min: 300}}
    rtp: {rx_loss: 0, rx_packets: {min: 50}}
settle_ms: 200
`)
	if len(s.Expect) != 6 || s.Settle != 200*time.Millisecond {
		t.Fatalf("%+v", s.Expect)
	}
	one, three := 1.0, 3.0
	digits := s.Expect[1].Event
	if s.Expect[1].Path != "expect[1]" || digits.Call.Nth != 1 || digits.Within != 2*time.Second || digits.After.Events[0] != "call.state.confirmed" ||
		!reflect.DeepEqual(digits.Count, Range{Min: &one, Max: &three}) || !reflect.DeepEqual(digits.Phones, []phone.ID{"b"}) {
		t.Errorf("%+v", digits)
	}
	if never := s.Expect[2].Event; *never.Count.Max != 0 || len(never.Events) != 2 {
		t.Errorf("%+v", never)
	}
	if series := s.Expect[3].InOrder; len(series) != 2 || series[1].Within != 500*time.Millisecond {
		t.Errorf("%+v", series)
	}
	got := map[string]string{}
	for _, i := range []int{4, 5} {
		for _, c := range s.Expect[i].Call.Checks {
			switch c.Kind {
			case CheckText, CheckTransfer:
				got[c.Field] = c.Want.String()
			case CheckNumber, CheckTone:
				got[c.Field] = c.Range.String()
			case CheckSource:
				got[c.Field] = string(c.From.PhoneID)
			case CheckSilence:
				got[c.Field] = map[bool]string{true: "yes", false: "no"}[c.Yes]
			}
		}
	}
	want := map[string]string{
		"codec": "PCMA", "duration": "1 to 1.5 s", "quality.mos": "at least 4", "state": "DISCONNECTED", "last_status": "2xx", "transfer": "succeeded",
		"heard.tone_hz": "435 to 445 Hz", "heard.level_dbov": "-25 to -15", "heard.silence": "no", "heard.from": "a", "sent.tone_hz": "at least 300 Hz",
		"rtp.rx_loss": "0", "rtp.rx_packets": "at least 50",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if whose := s.Expect[5].Call.Whose; whose.PhoneID != "b" || whose.Call.Nth != Last {
		t.Errorf("%+v", whose)
	}
}

func TestRange(t *testing.T) {
	low, high := 1.0, 2.0
	for _, c := range []struct {
		r    Range
		v    float64
		want bool
	}{
		{Range{Min: &low, Max: &high}, 1, true}, {Range{Min: &low, Max: &high}, 2, true}, {Range{Min: &low, Max: &high}, 2.01, false},
		{Range{Min: &low}, 0.99, false}, {Range{Max: &high}, -127, true}, {Range{}, math.NaN(), false}, {Exactly(0), 0, true}, {AtLeast(1), 0, false},
	} {
		if c.r.Holds(c.v) != c.want {
			t.Errorf("%s of %v: %v", c.r, c.v, !c.want)
		}
	}
}

func TestIssuesOfFactsAndVariables(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no expectations", "expect: []\n", "expect is empty"},
		{"not a fact", "expect: [3]\n", "a fact is {event: …}"},
		{"unknown key", "expect: [{event: dtmf.in, wihtin_ms: 3}]\n", `unknown key of a fact "wihtin_ms"; did you mean "within_ms"?`},
		{"unknown event", "expect: [{event: dtmf.inn}]\n", `did you mean "dtmf.in"?`},
		{"no event", "expect: [{phone_id: a}]\n", "the fact needs event"},
		{"whose first call", "expect: [{event: dtmf.in, call_id: first}]\n", "the first call is whose? give phone_id"},
		{"call word", "expect: [{event: dtmf.in, phone_id: a, call_id: fisrt}]\n", "call_id takes a call's number, or first"},
		{"within nothing", "expect: [{event: dtmf.in, within_ms: 0}]\n", "within_ms is 0"},
		{"never and count", "expect: [{event: dtmf.in, never: true, count: 2}]\n", "never and count exclude each other"},
		{"never false", "expect: [{event: dtmf.in, never: false}]\n", "never takes true"},
		{"half an event", "expect: [{event: dtmf.in, count: 1.5}]\n", "count takes a whole number"},
		{"count turned round", "expect: [{event: dtmf.in, count: {min: 2, max: 1}}]\n", "count: min is more than max"},
		{"count key", "expect: [{event: dtmf.in, count: {mim: 2}}]\n", `unknown key of count "mim"; did you mean "min"?`},
		{"series of one", "expect: [{in_order: [dtmf.in]}]\n", "in_order takes a list of at least two events"},
		{"never in a series", "expect: [{in_order: [dtmf.in, {event: dtmf.out, never: true}]}]\n", `unknown key of a fact "never"`},
		{"call says nothing", "expect: [{call: a}]\n", "the fact says nothing of the call"},
		{"call says null", "expect: [{call: a, codec: null}]\n", "the fact says nothing of the call"},
		{"no bounds", "expect: [{call: a, mos: {min: null}}]\n", "mos is empty"},
		{"call of nobody", "expect: [{call: {call_id: first}, codec: PCMA}]\n", "call needs phone_id"},
		{"call field", "expect: [{call: a, codecs: PCMA}]\n", `unknown key of a call's fact "codecs"; did you mean "codec"?`},
		{"duration without unit", "expect: [{call: a, duration: {min: 5}}]\n", "duration takes a time with its unit"},
		{"measured", "expect: [{call: a, mos: 4.1}]\n", "mos is measured: write {min: …}"},
		{"state", "expect: [{call: a, state: confirmd}]\n", `did you mean "confirmed"?`},
		{"audio field", "expect: [{call: a, heard: {tonehz: 440}}]\n", `unknown key of heard "tonehz"; did you mean "tone_hz"?`},
		{"sent from", "expect: [{call: a, sent: {from: b}}]\n", `unknown key of sent "from"`},
		{"empty heard", "expect: [{call: a, heard: {}}]\n", "heard takes a mapping such as"},
		{"rtp field", "expect: [{call: a, rtp: {rx_lost: 0}}]\n", `did you mean "rx_loss"?`},
		{"assert nothing", "initial_actions: [{assert: []}]\n", "assert has no facts"},
		{"assert a wrong fact", "initial_actions: [{assert: {event: x}}]\n", `unknown event type "x"`},
		{"count that always holds", "expect: [{event: dtmf.in, count: {min: 0}}]\n", "would always hold"},
		{"field that no such event has", "expect: [{event: dtmf.in, never: true, match: {digits: 5}}]\n", `t.yaml:1:48: unknown field of dtmf.in "digits"; did you mean "digit"?`},
		{"field of a family", "expect: [{in_order: [{event: call.state.*, match: {laststatus: 200}}, dtmf.in]}]\n", `did you mean "last_status"?`},
		{"field of what was heard", "expect: [{event: call.state.disconnected, never: true, match: {heard.tone: 440}}]\n", `unknown field of call.state.disconnected "heard.tone"`},
		{"field of after", "initial_actions: [{assert: {event: dtmf.in, after: {event: reg.failed, match: {code: 403}}}}]\n", `unknown field of reg.failed "code"`},
		{"no class", "expect: [{event: reg.failed, never: true, match: {status_code: 9xx}}]\n", `status_code takes a status such as 486, a class 1xx to 6xx`},
		{"no class of a call", "expect: [{call: {phone_id: a}, last_status: [200, 4x]}]\n", `not "4x"`},
		{"repeat nothing", "initial_actions: [{repeat: {count: 2, actions: []}}]\n", "repeat has no actions"},
		{"repeat never", "initial_actions: [{repeat: {count: 0, actions: [{wait: 1}]}}]\n", "count is 0; it takes 1 to 10000"},
		{"phone of a repeated action", "initial_actions: [{repeat: {count: 2, actions: [hangup]}}]\n", "hangup needs phone_id"},
		{"one branch", "initial_actions: [{parallel: [[{wait: 1}]]}]\n", "branches takes a list of at least two lists"},
		{"empty branch", "initial_actions: [{parallel: [[{wait: 1}], []]}]\n", "an empty branch"},
		{"fault in a branch", "initial_actions: [{parallel: [[{wait: 1}], [{wiat: 1}]]}]\n", `did you mean "wait"?`},
		{"add_phone", "initial_actions: [{add_phone: {phone_id: c, domain: x, username: c}}]\n", "add_phone needs password"},
		{"kill nobody", "hooks: [{when: dtmf.in, then: kill_worker}]\n", "kill_worker needs phone_id"},
		{"finally without phone", "finally: [hangup]\n", "no event comes before an action of finally"},
		{"stop_on_all", "stop_on_all: [{event: dtmf.in, phone_idd: a}]\n", `unknown stop_on_all key "phone_idd"; did you mean "phone_id"?`},
		{"capture", "hooks: [{when: dtmf.in, capture: digit, then: {log: x}}]\n", "capture takes a mapping of variables"},
		{"vars", "vars: [a]\n", "vars takes a mapping"},
		{"variable's name", "vars: {a-b: 1}\n", `"a-b" is not a variable's name`},
		{"variable of variables", "vars: {a: 1, b: \"${a}\"}\n", "the value of a variable is plain"},
		{"undefined", "vars: {digits: 1}\ninitial_actions: [{log: \"${digit}\"}]\n", `unknown variable "digit"; did you mean "digits"?`},
		{"environment", "initial_actions: [{log: \"${env:HOME}\"}]\n", "cannot read the environment"},
		{"malformed", "initial_actions: [{log: \"${a b}\"}]\n", "is not a variable"},
		{"unclosed", "initial_actions: [{log: \"x ${a\"}]\n", "is not a variable"},
		{"wrong type by a variable", "vars: {d: x}\ninitial_actions: [{wait: \"${d}\"}]\n", `t.yaml:2:26: ms takes a duration`},
		{"captured in match", "hooks: [{when: dtmf.in, capture: {d: digit}, match: {digit: \"${d}\"}, then: {log: x}}]\n", "match takes no ${d}, which is captured while the run goes on"},
		{"captured in a setting", "hooks: [{when: dtmf.in, capture: {d: digit}, then: {log: x}}]\ntimeout_ms: \"${d}\"\n", "timeout_ms takes no ${d}"},
		{"captured as a name", "hooks: [{when: dtmf.in, capture: {d: digit}, then: {make_call: {to: 'sip:b@h', save_call: \"${d}\"}}}]\n", "save_call takes a variable's name"},
		{"captured in repeat", "hooks: [{when: dtmf.in, capture: {d: digit}, then: {repeat: {count: \"${d}\", actions: {log: x}}}}]\n", "repeat: count takes no ${d}"},
		{"key beside a captured one", "hooks: [{when: dtmf.in, capture: {d: digit}, then: {send_dtmf: {digits: \"${d}\", call: 3}}}]\n", `unknown argument of send_dtmf "call"`},
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

func TestVariables(t *testing.T) {
	s := mustRead(t, `
vars: {who: a, to: "sip:b@h", pause: 20ms, list: [1, 2], raw: "$${x}", turns: 2}
phones: ["${who}"]
initial_actions:
  - {make_call: {from_phone: "${who}", to: "${to}", save_call: call}}
  - {wait: "${pause}"}
  - {repeat: {count: "${turns}", actions: [{hangup: {phone_id: a, call_id: "${call}"}}]}}
  - {log: "$${call} is ${call} of ${list}, ${raw}"}
  - {send_dtmf: {digits: "${digit}", phone_id: "${who}", on_error: continue}}
  - {log: "no $${call}"}
hooks:
  - {when: dtmf.in, capture: {digit: digit}, then: {log: "${digit}"}}
expect:
  - {event: dtmf.in, phone_id: a, call_id: "${call}", match: {digit: "${digit}"}}
`)
	if s.Phones[0] != "a" || s.Initial[0].PhoneID != "a" || s.Initial[0].Step.(MakeCall).To != "sip:b@h" || s.Initial[1].Step.(Wait).For != 20*time.Millisecond {
		t.Errorf("fixed: %+v", s.Initial)
	}
	if s.Initial[0].Late() || s.Initial[2].Late() || !s.Initial[3].Late() || s.Initial[5].Late() || !s.Hooks[0].Then[0].Late() || !s.Expect[0].Late() {
		t.Error("which are late?")
	}
	hangup := s.Initial[2].Step.(Repeat).Actions[0]
	if _, err := hangup.Bind(nil); err == nil || err.Error() != "${call} has no value: nothing has captured it yet" {
		t.Errorf("%v", err)
	}
	values := map[string]any{"call": int64(7), "digit": "#"}
	if bound, err := hangup.Bind(values); err != nil || *bound.CallID != 7 || bound.PhoneID != "a" {
		t.Errorf("%+v %v", bound, err)
	}
	if bound, err := s.Initial[3].Bind(values); err != nil || bound.Step.(Log).Message != "${call} is 7 of [1,2], ${x}" {
		t.Errorf("%+v %v", bound, err)
	}
	if bound, err := s.Initial[4].Bind(values); err != nil || bound.Step.(SendDTMF).Digits != "#" || !bound.ContinueOnError {
		t.Errorf("%+v %v", bound, err)
	}
	if _, err := s.Initial[4].Bind(map[string]any{"digit": "x"}); err == nil || !strings.Contains(err.Error(), "digits takes digits") {
		t.Errorf("%v", err)
	}
	if plain := s.Initial[5].Step.(Log).Message; plain != "no ${call}" {
		t.Errorf("%q", plain)
	}
	fact, err := s.Expect[0].Bind(values)
	if err != nil || *fact.Event.Call.ID != 7 || !fact.Event.Match[0].Want.Holds("#") || fact.Path != "expect[0]" {
		t.Errorf("%+v %v", fact, err)
	}
}

// What the language is said to be is what is read: every key is known.
func TestLanguageIsDescribed(t *testing.T) {
	l := Describe()
	if len(l.Actions) != len(actionKinds) || len(l.Heard) != len(l.Sent)+1 {
		t.Errorf("%d actions", len(l.Actions))
	}
	for _, a := range l.Actions {
		found := a.Main == ""
		for _, p := range a.Params {
			found = found || p.Name == a.Main
		}
		if !found {
			t.Errorf("%s has no argument %s", a.Word, a.Main)
		}
	}
}

// Fields that are known, and events whose fields are not, are taken.
func TestFieldsOfFacts(t *testing.T) {
	mustRead(t, `
expect:
  - {event: call.state.disconnected, match: {heard.tone_hz: 440, last_status: [486, 5xx, "~^6"], phone_id: a, call_id: 1, type: "~call"}}
  - {event: call.state.*, match: {quality.mos: 4, state: early}}
  - {event: [dtmf.in, dtmf.out], match: {digits: 1, method: info}}
  - {event: sip.request.invite, match: {headers.X-Any: 1}}
  - {event: [reg.success, user.mine], match: {anything: 1}}
  - {event: reg.success, match: {synthetic: true}}
  - {event: "*", match: {anything: 1}}
`)
}
