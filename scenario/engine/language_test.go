package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

// Variables, groups, and the actions that change the fleet.
func TestLanguage(t *testing.T) {
	for _, c := range []struct {
		name, text string
		script     func(*world)
		status     timeline.Status
		reason     string
		did        []string
		elapsed    time.Duration
		told       string // log messages, in order
	}{
		{
			name: "values captured by a hook and by a wait",
			text: `
phones: [a, b]
vars: {greeting: hello, pause: 20ms}
initial_actions:
  - wait_until: {event: im.received, phone_id: b, capture: {from: from, body: body}}
  - {send_message: {phone_id: b, to: "${from}", body: "${greeting}, you said ${body}"}}
hooks:
  - {when: dtmf.in, on_phone: a, once: false, capture: {digit: digit, code: status}, then: [{wait: "${pause}"}, {send_dtmf: {digits: "${digit}"}}, {reject: {code: "${code}"}}]}
timeout_ms: 100`,
			script: func(w *world) {
				w.at(10*ms, func() { w.happens("a", "dtmf.in", 7, "digit", "5", "status", int64(603)) })
				w.at(40*ms, func() { w.happens("b", "im.received", -1, "from", "sip:c@h", "body", "hi") })
			},
			status: timeline.OK, elapsed: 100 * ms,
			did: []string{"30ms a SendDTMF 5 call=7", "30ms a Reject 603 call=7", "40ms b SendMessage {DestURI:sip:c@h Body:hello, you said hi ContentType:}"},
		},
		{
			name:   "a call that was saved",
			text:   "phones: [a]\ninitial_actions: [{make_call: {phone_id: a, to: 'sip:b@h', save_call: one}}, {make_call: {phone_id: a, to: 'sip:c@h', save_call: two}}, {attended_transfer: {phone_id: a, call_id: '${one}', dest_call_id: '${two}'}}]\nexpect: [{event: call.state.calling, phone_id: a, call_id: '${two}', count: 1}]\ntimeout_ms: 10",
			status: timeline.OK, elapsed: 10 * ms,
			did: []string{"0ms a MakeCall sip:b@h map[]", "0ms a MakeCall sip:c@h map[]", "0ms a AttendedTransfer call=0 call=1"},
		},
		{
			name:   "a variable too early fails its action, which may be tolerated",
			text:   "phones: [a]\ninitial_actions: [{send_dtmf: {phone_id: a, digits: '${d}', on_error: continue}}, {log: after}, {send_dtmf: {phone_id: a, digits: '${d}'}}]\nhooks: [{when: dtmf.in, capture: {d: digit}, then: {log: x}}]\ntimeout_ms: 10",
			status: timeline.Failed, reason: "send_dtmf in initial_actions failed: ${d} has no value", told: "after",
		},
		{
			name: "a variable of the wrong type fails its action",
			text: "phones: [a]\nhooks: [{when: dtmf.in, capture: {d: digit}, then: [{wait: '${d}'}, hangup]}]\ntimeout_ms: 10",
			script: func(w *world) {
				w.at(ms, func() { w.happens("a", "dtmf.in", 7, "digit", "#") })
			},
			status: timeline.Failed, reason: "wait in hooks[0] failed: ms takes a duration", elapsed: 10 * ms,
		},
		{
			name: "an action on a phone that the run does not see",
			text: "phones: [a]\nhooks: [{when: dtmf.in, capture: {who: digit}, then: {hangup: {phone_id: '${who}'}}}]\ntimeout_ms: 10",
			script: func(w *world) {
				w.at(ms, func() { w.happens("a", "dtmf.in", 7, "digit", "b") })
			},
			status: timeline.Failed, reason: "phone b is none of this run; list it under phones", elapsed: 10 * ms,
		},
		{
			name:   "repeat",
			text:   "phones: [a]\ninitial_actions: [{repeat: {count: 3, actions: [{send_dtmf: {digits: '1', phone_id: a}}, {wait: 10}]}}, {log: done}]\ntimeout_ms: 100",
			status: timeline.OK, elapsed: 100 * ms, told: "done",
			did: []string{"0ms a SendDTMF 1", "10ms a SendDTMF 1", "20ms a SendDTMF 1"},
		},
		{
			name: "repeat until",
			text: "phones: [a]\ninitial_actions: [{repeat: {count: 30, until: {event: dtmf.in, phone_id: a, match: {digit: 2}}, actions: [{wait: 10}, {log: round}]}}, {log: done}]\ntimeout_ms: 100",
			script: func(w *world) {
				w.at(5*ms, func() { w.happens("a", "dtmf.in", 7, "digit", "1") })
				w.at(15*ms, func() { w.happens("a", "dtmf.in", 7, "digit", "2") })
			},
			status: timeline.OK, elapsed: 100 * ms, told: "round round done",
		},
		{
			name: "repeat until what came with the end of the only round",
			text: "phones: [a]\ninitial_actions: [{repeat: {count: 1, until: {event: call.state.disconnected, phone_id: a}, actions: [{hangup: {phone_id: a, call_id: 4}}]}}, {log: done}]\ntimeout_ms: 50",
			script: func(w *world) {
				w.on = func(_ context.Context, _ phone.ID, _ phone.Command) (phone.Outcome, error, bool) {
					w.happens("a", "call.state.disconnected", 4)
					return phone.Outcome{}, nil, false
				}
			},
			status: timeline.OK, told: "done", did: []string{"0ms a Hangup call=4"}, elapsed: 50 * ms,
		},
		{
			name:   "a failure within repeat ends it, and is said once",
			text:   "phones: [a]\nhooks: [{when: reg.success, then: [{repeat: {count: 3, actions: [hold, {log: never}]}}, {log: never}]}]\ntimeout_ms: 10",
			script: func(w *world) { w.on = refuse("Hold") },
			status: timeline.Failed, reason: "hold in hooks[0], step 1: repeat, round 1 failed: a refused: 488 (ran its full 10 ms)", did: []string{"0ms a Hold"}, elapsed: 10 * ms,
		},
		{
			name:   "a tolerated failure within repeat",
			text:   "phones: [a]\ninitial_actions: [{repeat: {count: 3, actions: [{hold: {phone_id: a}}, {log: never}]}, on_error: continue}, {log: after}]\ntimeout_ms: 10",
			script: func(w *world) { w.on = refuse("Hold") },
			status: timeline.OK, did: []string{"0ms a Hold"}, told: "after", elapsed: 10 * ms,
		},
		{
			name:   "parallel",
			text:   "phones: [a, b]\ninitial_actions: [{parallel: [[{wait: 30}, {log: a}], [{wait: 10}, {log: b}, {hold: {phone_id: b}}]]}, {log: after}]\ntimeout_ms: 100",
			script: func(w *world) { w.on = slow("Hold", 5*ms) },
			status: timeline.OK, told: "b a after", did: []string{"10ms b Hold"}, elapsed: 100 * ms,
		},
		{
			name:   "a branch that fails does not stop the other, and the step has failed",
			text:   "phones: [a]\nhooks: [{when: reg.success, then: [{parallel: [[hold], [{wait: 20}, {log: other}]]}, {log: never}]}]\ntimeout_ms: 100",
			script: func(w *world) { w.on = refuse("Hold") },
			status: timeline.Failed, told: "other", reason: "hold in hooks[0], step 1: parallel, branch 1 failed", did: []string{"0ms a Hold"}, elapsed: 100 * ms,
		},
		{
			name:   "groups within groups, in a moment",
			text:   "phones: [a]\ninitial_actions: [{repeat: {count: 2, actions: [{repeat: {count: 2, actions: [{parallel: [[{log: x}], [{log: y}]]}]}}]}}]\ntimeout_ms: 10",
			status: timeline.OK, told: "x y x y x y x y", elapsed: 10 * ms,
		},
		{
			name:   "a wait within a group is cut off with the run",
			text:   "phones: [a]\ninitial_actions: [{repeat: {count: 2, actions: [{wait_until: {event: dtmf.in, phone_id: a}}]}}, {log: never}]\nstop_on: [{event: im.received}]\ntimeout_ms: 1s",
			script: func(w *world) { w.at(20*ms, func() { w.happens("a", "im.received", -1) }) },
			status: timeline.OK, elapsed: 20 * ms,
		},
		{
			name:   "a group that is not done when the time is up",
			text:   "phones: [a]\ninitial_actions: [{repeat: {count: 2, actions: [{wait_until: {event: dtmf.in, phone_id: a}}]}}]\ntimeout_ms: 1s",
			status: timeline.Timeout, reason: "not done: initial_actions, step 1: repeat, round 1, step 1: wait_until dtmf.in on a", elapsed: time.Second,
		},
		{
			name:   "too much in a moment",
			text:   "phones: [a]\ninitial_actions: [{repeat: {count: 10000, actions: [{repeat: {count: 10000, actions: [{checkpoint: x}]}}]}}]\nfinally: [{log: finally}, {hangup_all: a}]\ntimeout_ms: 1s",
			status: timeline.Failed, reason: "the timeline has reached 50000 entries", told: "finally", did: []string{"0ms a HangupAll {}"},
		},
		{
			name: "stop_on_all, in any order",
			text: "phones: [a, b]\nstop_on_all: [{phone_id: a, event: dtmf.in}, {phone_id: b, event: dtmf.in, match: {digit: 2}}]",
			script: func(w *world) {
				w.at(10*ms, func() { w.happens("b", "dtmf.in", 1, "digit", "2") })
				w.at(20*ms, func() { w.happens("b", "dtmf.in", 1, "digit", "2") })
				w.at(30*ms, func() { w.happens("a", "dtmf.in", 2, "digit", "1") })
			},
			status: timeline.OK, reason: "all of stop_on_all came, the last stop_on_all[0]: dtmf.in on a (call 2)", elapsed: 30 * ms,
		},
		{
			name:   "stop_on_all may name scenario_failed",
			text:   "phones: [a]\nstop_on_all: [{event: user.scenario_failed}, {event: dtmf.in}]\ninitial_actions: [{emit: scenario_failed}]",
			script: func(w *world) { w.at(10*ms, func() { w.happens("a", "dtmf.in", 1) }) },
			status: timeline.OK, elapsed: 10 * ms,
		},
		{
			name:   "the other way to end ends too",
			text:   "phones: [a]\nstop_on: [{event: im.received}]\nstop_on_all: [{event: reg.failed}, {event: dtmf.in}]",
			script: func(w *world) { w.at(10*ms, func() { w.happens("a", "im.received", -1) }) },
			status: timeline.OK, reason: "stop_on[0]", elapsed: 10 * ms,
		},
		{
			name: "finally runs after the hooks on the end, and after a failure",
			text: "phones: [a]\ninitial_actions: [{hold: {phone_id: a}}]\nhooks: [{when: scenario.stopped, then: [{wait: 5}, {log: stopped}]}]\nfinally: [{log: finally}, {hangup_all: a}, {wait_until: {event: call.state.disconnected, phone_id: a}}, {log: gone}]",
			script: func(w *world) {
				w.on = refuse("Hold")
				w.at(9*ms, func() { w.happens("a", "call.state.disconnected", 1) })
			},
			status: timeline.Failed, reason: "hold in initial_actions failed", told: "stopped finally gone", did: []string{"0ms a Hold", "5ms a HangupAll {}"}, elapsed: 9 * ms,
		},
		{
			name:   "finally is bounded",
			text:   "phones: [a]\nfinally: [{parallel: [[{wait: 1h}], [{hold: {phone_id: a}}]]}]\ntimeout_ms: 10",
			script: func(w *world) { w.on = slow("Hold", time.Hour) },
			status: timeline.Failed, reason: "finally was not done within 5s: finally", did: []string{"10ms a Hold"}, elapsed: 5010 * ms,
		},
		{
			name: "the fleet",
			text: `
phones: [a, b]
initial_actions:
  - add_phone: {phone_id: new, domain: h, username: n, password: "pass$${word"}
  - wait_until: {event: reg.success, phone_id: new, timeout_ms: 10}
  - update_phone: {phone_id: new, auto_answer: true}
  - kill_worker: b
  - wait_until: {event: phone.exited, phone_id: b, timeout_ms: 10}
  - drop_phone: {phone_id: new, hangup_calls: false}
timeout_ms: 50`,
			status: timeline.OK, elapsed: 50 * ms,
			did: []string{"0ms add new n pass${word", "0ms update new true", "0ms kill b", "0ms drop new false"},
		},
		{
			name:   "assert what is so, and go on",
			text:   "phones: [a, b]\nhooks: [{when: call.state.disconnected, on_phone: a, then: [{assert: [{event: dtmf.in, phone_id: b, count: 1}, {call: {}, codec: PCMU}]}, {log: so}]}]\ntimeout_ms: 2s",
			script: busyCall, status: timeline.OK, told: "so", did: []string{"1600ms a GetCall call=4"}, elapsed: 2 * time.Second,
		},
		{
			name:   "a snapshot",
			text:   "phones: [a, b]\nhooks: [{when: dtmf.in, then: {snapshot: mid-call}}]\ntimeout_ms: 2s",
			script: busyCall, status: timeline.OK, did: []string{"500ms b GetCall call=1004"}, elapsed: 2 * time.Second,
		},
		{
			name: "looking at a call does not lose what came before",
			text: "phones: [a]\ninitial_actions: [{hangup: {phone_id: a, call_id: 4}}, {snapshot: {phone_id: a, call_id: 4}}, {assert: {event: call.state.disconnected}}, {wait_until: {event: call.state.disconnected, phone_id: a, timeout_ms: 10}}, {log: seen}]\ntimeout_ms: 50",
			script: func(w *world) {
				w.info[4] = phone.CallInfo{CallID: 4}
				w.on = func(_ context.Context, _ phone.ID, cmd phone.Command) (phone.Outcome, error, bool) {
					if _, hangup := cmd.(phone.Hangup); hangup {
						w.happens("a", "call.state.disconnected", 4)
					}
					return phone.Outcome{}, nil, false
				}
			},
			status: timeline.OK, told: "seen", did: []string{"0ms a Hangup call=4", "0ms a GetCall call=4"}, elapsed: 50 * ms,
		},
		{
			name: "headers of SIP messages",
			text: "phones: [a]\nhooks:\n  - {when: sip.request.invite, match: {headers.Subject: '~^Hel', direction: RX}, capture: {subject: headers.subject}, then: {log: '${subject}'}}\n  - {when: sip.response.*, match: {status_code: 4xx}, then: {log: refused}}\ntimeout_ms: 20",
			script: func(w *world) {
				w.at(ms, func() {
					w.happens("a", "sip.request.invite", 1, "direction", "TX", "headers", map[string]any{"Subject": "Hello"})
					w.happens("a", "sip.request.invite", 1, "direction", "RX", "headers", map[string]any{"Subject": "Bye"})
					w.happens("a", "sip.request.invite", 1, "direction", "RX", "headers", map[string]any{"Subject": "Help"})
					w.happens("a", "sip.response.200", 1, "status_code", int64(200))
					w.happens("a", "sip.response.486", 1, "status_code", int64(486))
				})
			},
			status: timeline.OK, told: "Help refused", elapsed: 20 * ms,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			result, did := play(t, c.text, c.script)
			if result.Status != c.status || !strings.Contains(result.Reason, c.reason) {
				t.Errorf("%s: %s\nwant %s: …%s…", result.Status, result.Reason, c.status, c.reason)
			}
			if result.ElapsedMS != c.elapsed.Milliseconds() {
				t.Errorf("took %d ms, want %s", result.ElapsedMS, c.elapsed)
			}
			if got, want := strings.Join(did, "\n "), strings.Join(c.did, "\n "); got != want {
				t.Errorf("did:\n %.2000s\nwant:\n %s", got, want)
			}
			if got := said(result); got != c.told {
				t.Errorf("said %.300q, want %q", got, c.told)
			}
		})
	}
}

// said gives the messages of log, in order.
func said(r timeline.Result) string {
	var list []string
	for _, e := range r.Timeline {
		if e.Type == "log" {
			list = append(list, e.Data["message"].(string))
		}
	}
	return strings.Join(list, " ")
}

func TestFleetThatCannotBeChanged(t *testing.T) {
	s := parse(t, "phones: [a]\ninitial_actions: [{kill_worker: a}]")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if result := Run(t.Context(), s, Env{Phones: w, Feed: w}); result.Status != timeline.Failed || !strings.Contains(result.Reason, "scenarios cannot change the phones of this server") {
			t.Errorf("%s %s", result.Status, result.Reason)
		}
	})
}

// No timeline shows a password.
func TestPasswordsAreNotOnTheTimeline(t *testing.T) {
	result, _ := play(t, "phones: [a]\ninitial_actions: [{add_phone: {phone_id: n, domain: h, username: n, password: hush}}, {update_phone: {phone_id: n, password: hush, auto_answer: false}}]\ntimeout_ms: 10", nil)
	for _, e := range result.Timeline {
		for name, v := range e.Data {
			if text, _ := v.(string); strings.Contains(text, "hush") {
				t.Errorf("%s: %s=%s", e.Type, name, text)
			}
		}
	}
	if result.Status != timeline.OK {
		t.Error(result.Reason)
	}
}

func TestSnapshotHoldsWhatThePhoneKnows(t *testing.T) {
	result, _ := play(t, "phones: [b]\nhooks: [{when: dtmf.in, then: {snapshot: mid}}]\ntimeout_ms: 1s", busyCall)
	for _, e := range result.Timeline {
		if e.Type == "snapshot.taken" {
			if e.Data["codec"] != "PCMU" || e.Data["label"] != "mid" || *e.CallID != 1004 || e.Data["state"] != "CONFIRMED" {
				t.Errorf("%+v", e.Data)
			}
			return
		}
	}
	t.Error("no snapshot")
}

// A cancelled run does what finally says, and hangs up what is left; not more
// than its time, and not the hooks on the end.
func TestCancelRunsFinally(t *testing.T) {
	const text = `
phones: [a]
initial_actions: [{make_call: {from_phone: a, to: "sip:b@h"}}, {make_call: {from_phone: a, to: "sip:b@h"}}, {wait_until: {event: dtmf.in}}]
hooks: [{when: scenario.stopped, then: {log: stopped}}]
expect: [{event: dtmf.in}]
finally: [{log: finally}, {send_message: {phone_id: a, to: "sip:b@h", body: bye}}, {wait: %}, {log: waited}]`
	for wait, want := range map[string]struct {
		told string
		at   int64
	}{"10": {"finally waited", 30}, "1h": {"finally", 2020}} {
		s := parse(t, strings.Replace(text, "%", wait, 1))
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			ctx, cancel := context.WithCancelCause(t.Context())
			w.at(15*ms, func() { w.happens("a", "call.state.disconnected", 0) })
			w.at(20*ms, func() { cancel(errors.New("gone")) })
			result := Run(ctx, s, Env{Phones: w, Feed: w})
			if result.Status != timeline.Error || said(result) != want.told || result.ElapsedMS != want.at || len(result.Expectations) != 0 {
				t.Errorf("%s %s, said %q after %d ms", result.Status, result.Reason, said(result), result.ElapsedMS)
			}
			if n := len(w.did); n != 4 || !strings.HasSuffix(w.did[n-1], "a Hangup call=1") {
				t.Errorf("did %q", w.did)
			}
		})
	}
}

// A run that is cancelled while the hooks on its end run has not done what it was
// to do; and its end says what its result says.
func TestCancelWhileCleaning(t *testing.T) {
	s := parse(t, "phones: [a]\nstop_on: [{event: scenario.started}]\nhooks: [{when: scenario.stopped, then: [{wait: 1s}, {log: cleaned}]}]")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		ctx, cancel := context.WithCancel(t.Context())
		w.at(20*ms, cancel)
		result := Run(ctx, s, Env{Phones: w, Feed: w})
		if want := "the run was cancelled before the hooks on scenario.stopped were done: hooks[0], step 1: wait"; result.Status != timeline.Failed || !strings.HasPrefix(result.Reason, want) {
			t.Errorf("%s %s", result.Status, result.Reason)
		}
	})
}

func TestTheEndSaysTheVerdict(t *testing.T) {
	result, _ := play(t, stopAtEnd+"expect: [{event: dtmf.in, phone_id: a}]", busyCall)
	for _, e := range result.Timeline {
		if e.Type == "scenario.stopped" && (e.Data["status"] != "failed" || e.Data["reason"] != result.Reason) {
			t.Errorf("%v, and the result is %s: %s", e.Data, result.Status, result.Reason)
		}
	}
}

// A run that is cancelled while it is judged was not judged.
func TestCancelWhileJudging(t *testing.T) {
	s := parse(t, stopAtEnd+"expect: [{event: im.received}]\nfinally: [{log: finally}]")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		busyCall(w)
		ctx, cancel := context.WithCancelCause(t.Context())
		w.at(1800*ms, func() { cancel(errors.New("gone")) })
		result := Run(ctx, s, Env{Phones: w, Feed: w})
		if result.Status != timeline.Error || result.ElapsedMS != 1800 || said(result) != "finally" || len(result.Errors) != 1 {
			t.Errorf("%s %s after %d ms, %+v", result.Status, result.Reason, result.ElapsedMS, result.Errors)
		}
	})
}

// A phone that takes long to say what it knows does not hold the run up.
func TestJudgingIsBounded(t *testing.T) {
	result, _ := play(t, stopAtEnd+"expect: [{call: a, codec: PCMU}]", func(w *world) {
		busyCall(w)
		w.on = slow("GetCall", time.Hour)
	})
	// Its last event tells enough of a call, but not the codec in this test.
	if result.Status != timeline.Failed || result.ElapsedMS > 5000 || !strings.Contains(result.Reason, "codec is not known") {
		t.Errorf("%s after %d ms: %s", result.Status, result.ElapsedMS, result.Reason)
	}
}

var _ Fleet = (*world)(nil)

func TestEveryCallIsAskedOnceARound(t *testing.T) {
	_, did := play(t, stopAtEnd+"expect: [{call: a, codec: PCMU}, {call: a, heard: {from: b, silence: false}}, {call: b, state: confirmed}]\nsettle_ms: 100", func(w *world) {
		busyCall(w)
		w.info[4] = phone.CallInfo{CallID: 4, State: phone.StateDisconnected, Codec: "PCMU"}
	})
	if got := strings.Join(did, ", "); got != "1600ms a GetCall call=4, 1600ms b GetCall call=1004" {
		t.Errorf("asked %s", got)
	}
}
