package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

// busyCall is a call of a to b: rings, is answered, carries the digit 1, ends.
func busyCall(w *world) {
	w.info[4] = phone.CallInfo{CallID: 4, State: phone.StateDisconnected, Direction: phone.Outbound, Codec: "PCMU", Duration: 1500 * ms, LastStatus: 200, RTP: phone.RTPStats{RxPackets: 75}}
	w.info[1004] = phone.CallInfo{CallID: 1004, State: phone.StateConfirmed, Direction: phone.Inbound, Codec: "PCMU", Duration: 1500 * ms, LastStatus: 200}
	for _, e := range []struct {
		at    time.Duration
		phone phone.ID
		kind  string
		call  int64
		data  []any
	}{
		{10 * ms, "a", "call.state.calling", 4, nil},
		{11 * ms, "b", "call.state.incoming", 1004, nil},
		{12 * ms, "a", "call.state.early", 4, []any{"last_status", int64(180)}},
		{100 * ms, "b", "call.state.confirmed", 1004, []any{"last_status", int64(200)}},
		{101 * ms, "a", "call.state.confirmed", 4, []any{"last_status", int64(200)}},
		{500 * ms, "b", "dtmf.in", 1004, []any{"digit", "1"}},
		{1600 * ms, "a", "call.state.disconnected", 4, []any{"last_status", int64(200)}},
	} {
		w.at(e.at, func() { w.happens(e.phone, e.kind, e.call, e.data...) })
	}
}

const stopAtEnd = "phones: [a, b]\nstop_on: [{phone_id: a, event: call.state.disconnected}]\n"

// What is expected and so: the run passes, at once unless something must not
// come: that has a moment to come through.
func TestExpectationsThatHold(t *testing.T) {
	for _, c := range []struct {
		expect string
		took   int64
	}{
		{"[call.state.confirmed]", 1600},
		{"[{event: dtmf.in, phone_id: b, match: {digit: 1}, count: 1}]", 1650},
		{"[{event: dtmf.in, phone_id: b, call_id: first}]", 1600},
		{"[{event: dtmf.in, phone_id: b, call_id: 1004}]", 1600},
		{"[{event: dtmf.in, phone_id: a, never: true}]", 1650},
		{"[{event: dtmf.in, phone_id: b, within_ms: 400, after: {event: call.state.confirmed, phone_id: b}}]", 1600},
		{"[{event: call.state.*, phone_id: a, count: {min: 3, max: 4}}]", 1650},
		{"[{in_order: [call.state.calling, call.state.incoming, {event: call.state.confirmed, phone_id: a}, {event: dtmf.in, within_ms: 399}]}]", 1600},
		{"[{call: a, codec: [PCMA, PCMU], duration: {min: 1s, max: 2s}, last_status: 2xx, state: disconnected, direction: outbound, rtp: {rx_packets: {min: 50}}}]", 1600},
		{"[{call: {phone_id: b, call_id: last}, state: confirmed}]", 1600},
		{"[{event: action.failed, never: true}, {event: scenario.started, count: 1}]", 1650},
	} {
		result, _ := play(t, stopAtEnd+"expect: "+c.expect, busyCall)
		if result.Status != timeline.OK || result.ElapsedMS != c.took {
			t.Errorf("%s\n%s after %d ms: %s", c.expect, result.Status, result.ElapsedMS, result.Reason)
		}
		for _, e := range result.Expectations {
			if !e.Held {
				t.Errorf("%+v", e)
			}
		}
	}
}

// The hunt for the false pass: each of these must fail, and for this reason.
func TestFalsePassHunt(t *testing.T) {
	for _, c := range []struct {
		name, text string
		script     func(*world)
		reason     string
		kind       string
		elapsed    time.Duration // 0 is any
	}{
		{
			name: "the wrong digit", text: stopAtEnd + "expect: [{event: dtmf.in, phone_id: b, match: {digit: 5}}]", script: busyCall,
			reason:  "expect[0]: expected dtmf.in {digit: 5} on b; saw dtmf.in {digit: 1} on b (call 1004) at +0.500 s: match.digit is 1 (stop_on[0]: call.state.disconnected on a (call 4), 200",
			elapsed: 2600 * ms,
		},
		{
			name: "the wrong phone", text: stopAtEnd + "expect: [{event: dtmf.in, phone_id: a}]", script: busyCall,
			reason: "expected dtmf.in on a; saw dtmf.in {digit: 1} on b (call 1004) at +0.500 s: phone_id is b",
		},
		{
			name: "the wrong call", text: stopAtEnd + "expect: [{event: dtmf.in, phone_id: b, call_id: 7}]", script: busyCall,
			reason: "call_id is call 1004",
		},
		{
			name: "too late", text: stopAtEnd + "expect: [{event: dtmf.in, phone_id: b, within_ms: 300, after: {event: call.state.confirmed, phone_id: b}}]", script: busyCall,
			reason: "expected dtmf.in on b within 300ms after call.state.confirmed on b; it came at +0.500 s, too late", elapsed: 1600 * ms,
		},
		{
			name: "before what it is to follow", text: stopAtEnd + "expect: [{event: call.state.early, after: {event: dtmf.in}}]", script: busyCall,
			reason: "expected call.state.early after dtmf.in; it came only before that, at +0.012 s",
		},
		{
			name: "after what never came", text: stopAtEnd + "expect: [{event: call.state.confirmed, after: {event: reg.failed, phone_id: a}}]", script: busyCall,
			reason: "but reg.failed on a, after which it is counted, never came; saw reg.success {status_code: 200, reason: OK} on a at +0.000 s: it is reg.success",
		},
		{
			name: "never after what never came is not a pass", text: stopAtEnd + "expect: [{event: dtmf.in, never: true, after: {event: reg.failed}}]", script: busyCall,
			reason: "after which it is counted, never came", kind: timeline.Unjudged,
		},
		{
			name: "never, and it came", text: stopAtEnd + "expect: [{event: dtmf.in, never: true}]", script: busyCall,
			reason: "expected never dtmf.in; it came once, at +0.500 s", elapsed: 1600 * ms,
		},
		{
			name: "never within a time that was not watched", text: stopAtEnd + "expect: [{event: reg.failed, never: true, within_ms: 5s}]", script: busyCall,
			reason: "the run was over after 2.6s of the 5s in which it must not come", kind: timeline.Unjudged, elapsed: 2600 * ms,
		},
		{
			name: "never of a call that there is not", text: stopAtEnd + "expect: [{event: dtmf.in, phone_id: b, call_id: second, never: true}]", script: busyCall,
			reason: "which cannot be judged: there is no second call (calls of b in this run: 1)", kind: timeline.Unjudged,
		},
		{
			name: "an assert on the event that ends the run",
			text: stopAtEnd + "hooks: [{when: call.state.disconnected, on_phone: a, then: {assert: {call: {}, codec: G722}}}]", script: busyCall,
			reason: "assert in hooks[0] failed: call 4 of a: codec is PCMU, not G722", kind: timeline.ActionFailed, elapsed: 1600 * ms,
		},
		{
			name: "an assert that the end of the run came before",
			text: stopAtEnd + "hooks: [{when: call.state.confirmed, on_phone: a, then: [{wait: 5s}, {assert: {call: {}, codec: PCMU}}]}]", script: busyCall,
			reason: "the run was over before an assert was judged, at hooks[0], step 1: wait;", kind: timeline.Unjudged, elapsed: 1600 * ms,
		},
		{
			name: "an assert within a group that the end of the time came before",
			text: "phones: [a, b]\ntimeout_ms: 2s\nhooks: [{when: call.state.confirmed, on_phone: a, then: {parallel: [{wait: 1}, [{wait: 5s}, {assert: {call: {}, codec: PCMU}}]]}}]", script: busyCall,
			reason: "the run was over before an assert was judged, at hooks[0], step 1: parallel, branch 2, step 1: wait;", kind: timeline.Unjudged, elapsed: 2000 * ms,
		},
		{
			name: "never of a phone that died", text: stopAtEnd + "expect: [{event: dtmf.in, phone_id: b, match: {digit: 9}, never: true}, {event: phone.exited, phone_id: b}]",
			script: func(w *world) {
				busyCall(w)
				w.at(700*ms, func() { w.happens("b", "phone.exited", -1) })
			},
			reason: "cannot be judged: the worker of b ended at +0.700 s", kind: timeline.Unjudged,
		},
		{
			name: "too few", text: stopAtEnd + "expect: [{event: dtmf.in, phone_id: b, count: 2}]", script: busyCall,
			reason: "expected dtmf.in on b, 2 times; it came only once, at +0.500 s; the last of b was dtmf.in",
		},
		{
			name: "too many", text: stopAtEnd + "expect: [{event: call.state.confirmed, count: 1}]", script: busyCall,
			reason: "expected call.state.confirmed, exactly once; it came 2 times, at +0.100 s, +0.101 s", elapsed: 1600 * ms,
		},
		{
			name: "out of order", text: stopAtEnd + "expect: [{in_order: [call.state.calling, dtmf.in, {event: call.state.early, phone_id: a}]}]", script: busyCall,
			reason: "as number 3, call.state.early on a after dtmf.in at +0.500 s; it came before that, at +0.012 s",
		},
		{
			name: "in order, and too slow", text: stopAtEnd + "expect: [{in_order: [{event: call.state.confirmed, phone_id: a}, {event: dtmf.in, within_ms: 398}]}]", script: busyCall,
			reason: "as number 2, dtmf.in within 398ms after call.state.confirmed on a at +0.101 s; it came too late, at +0.500 s",
		},
		{
			name: "the wrong codec and length", text: stopAtEnd + "expect: [{call: a, codec: PCMA, duration: {max: 1s}}]", script: busyCall,
			reason: "expect[0]: call 4 of a: codec is PCMU, not PCMA; duration is 1.50, not at most 1 s", elapsed: 1600 * ms,
		},
		{
			name: "quality that is not known", text: stopAtEnd + "expect: [{call: a, mos: {min: 1}}]", script: busyCall,
			reason: "quality.mos is not known (no packets have come), and should be at least 1",
		},
		{
			name: "silence of a call that had no media", text: stopAtEnd + "expect: [{call: a, heard: {silence: true}}]", script: busyCall,
			reason: "heard is not known (the call had no media",
		},
		{
			name: "a call that is still up", text: stopAtEnd + "expect: [{call: b, state: disconnected}]", script: busyCall,
			reason: "call 1004 of b: state is CONFIRMED, not DISCONNECTED", elapsed: 2600 * ms,
		},
		{
			name: "a call that never was", text: stopAtEnd + "expect: [{call: {phone_id: a, call_id: second}, codec: PCMU}]", script: busyCall,
			reason: "expected of the second call of a: codec PCMU: calls of a in this run: 1", kind: timeline.Unjudged,
		},
		{
			name: "which of two calls", text: stopAtEnd + "expect: [{call: b, codec: PCMU}]",
			script: func(w *world) {
				busyCall(w)
				w.at(50*ms, func() { w.happens("b", "call.state.incoming", 1005) })
			},
			reason: "b had 2 calls in this run; say which by call_id", kind: timeline.Unjudged,
		},
		{
			name: "a call nobody can tell of", text: stopAtEnd + "expect: [{call: b, codec: PCMU}]",
			script: func(w *world) { busyCall(w); delete(w.info, 1004) },
			reason: "call 1004 of b cannot be judged: call 1004 not found", kind: timeline.Unjudged,
		},
		{
			name: "a transfer that did not succeed", text: stopAtEnd + "expect: [{call: a, transfer: succeeded}]",
			script: func(w *world) {
				busyCall(w)
				w.at(900*ms, func() { w.happens("a", "transfer.failed", 4, "status", int64(486)) })
			},
			reason: "no transfer.succeeded; saw transfer.failed {status: 486} on a (call 4) at +0.900 s",
		},
		{
			name: "a lost event while what is expected is awaited", text: stopAtEnd + "expect: [{event: dtmf.in, phone_id: b, count: 2}]",
			script: func(w *world) {
				busyCall(w)
				w.at(1700*ms, func() {
					w.append(Record{PhoneID: "b", Gap: &phone.Gap{From: 8, To: 9}})
					w.happens("b", "dtmf.in", 1004, "digit", "2")
				})
			},
			reason: "events 8 to 9 of phone b were lost, so the run cannot be judged",
		},
		{
			name: "the time is up, and the expected did not come: both are said", text: "phones: [a, b]\nexpect: [{event: dtmf.in, match: {digit: 5}}, {event: reg.failed}]\nstop_on: [{event: im.received}]\ntimeout_ms: 2s", script: busyCall,
			reason: "match.digit is 1 (no stop_on came within 2000 ms); errors besides: 1", elapsed: 2 * time.Second,
		},
		{
			name: "a run of full time, and the expected did not come", text: "phones: [a, b]\nexpect: [{event: im.received, phone_id: b}]\ntimeout_ms: 2s", script: busyCall,
			reason: "expected im.received on b; nothing of the kind was seen; the last of b was dtmf.in {digit: 1} on b (call 1004) at +0.500 s (ran its full 2000 ms)", elapsed: 2 * time.Second,
		},
		{
			name: "a variable that nothing captured", text: stopAtEnd + "hooks: [{when: im.received, capture: {d: body}, then: {log: x}}]\nexpect: [{event: dtmf.in, match: {digit: \"${d}\"}}]", script: busyCall,
			reason: "${d} has no value: nothing has captured it yet", kind: timeline.Unjudged,
		},
		{
			name: "never of a phone that the run does not see", text: stopAtEnd + "vars: {who: a}\nhooks: [{when: dtmf.in, capture: {who: digit}, then: {log: x}}]\nexpect: [{event: reg.failed, phone_id: \"${who}\", never: true}]", script: busyCall,
			reason: "phone 1 is none of this run", kind: timeline.Unjudged,
		},
		{
			name: "an assert that is not so", text: stopAtEnd + "hooks: [{when: dtmf.in, then: [{assert: {event: dtmf.in, count: 2}}, hangup]}]", script: busyCall,
			reason: "assert in hooks[0] failed: expected dtmf.in, 2 times; it came only once",
		},
		{
			name: "an assert about the event's call", text: stopAtEnd + "hooks: [{when: dtmf.in, then: {assert: [{call: {}, codec: PCMU}, {call: {}, codec: G722}]}}]", script: busyCall,
			reason: "assert in hooks[0] failed: call 1004 of b: codec is PCMU, not G722",
		},
		{
			name: "a repeat whose until never comes", text: stopAtEnd + "initial_actions: [{repeat: {count: 3, until: {event: im.received}, actions: [{wait: 10}]}}]",
			reason: "repeat in initial_actions failed: 3 rounds and no im.received", elapsed: 30 * ms,
		},
		{
			name: "a field that the event has not", text: stopAtEnd + "hooks: [{when: dtmf.in, capture: {d: digits}, then: {log: x}}]", script: busyCall,
			reason: "capture in hooks[0] failed: nothing to capture as d: dtmf.in has no digits",
		},
		{
			name: "one of stop_on_all", text: "phones: [a, b]\nstop_on_all: [{event: dtmf.in}, {event: im.received}]\nexpect: [im.received]\ntimeout_ms: 2s", script: busyCall,
			reason: "expected im.received; nothing of the kind was seen (no stop_on_all[1] came within 2000 ms)",
		},
		{
			name: "a failing finally", text: stopAtEnd + "finally: [{assert: {event: im.received}}]", script: busyCall,
			reason: "assert in finally failed: expected im.received",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			result, _ := play(t, c.text, c.script)
			if result.Status != timeline.Failed || !strings.Contains(result.Reason, c.reason) {
				t.Errorf("%s: %s\nwant failed: …%s…", result.Status, result.Reason, c.reason)
			}
			if c.elapsed != 0 && result.ElapsedMS != c.elapsed.Milliseconds() {
				t.Errorf("took %d ms, want %s", result.ElapsedMS, c.elapsed)
			}
			if c.kind != "" && result.Errors[0].Kind != c.kind {
				t.Errorf("fault %q, want %q", result.Errors[0].Kind, c.kind)
			}
		})
	}
}

// What comes in the moment after the stop still counts, and nobody waits
// longer than that.
func TestExpectedAfterTheStop(t *testing.T) {
	const text = stopAtEnd + "expect: [{event: call.state.disconnected, phone_id: b}, {call: b, state: disconnected}]\nsettle_ms: 500"
	for _, c := range []struct {
		comes, elapsed time.Duration
		status         timeline.Status
	}{{1650 * ms, 1650 * ms, timeline.OK}, {2200 * ms, 2100 * ms, timeline.Failed}} {
		result, _ := play(t, text, func(w *world) {
			busyCall(w)
			w.at(c.comes, func() {
				w.mu.Lock()
				info := w.info[1004]
				info.State = phone.StateDisconnected
				w.info[1004] = info
				w.mu.Unlock()
				w.happens("b", "call.state.disconnected", 1004)
			})
		})
		if result.Status != c.status || result.ElapsedMS != c.elapsed.Milliseconds() {
			t.Errorf("%s after %d ms: %s", result.Status, result.ElapsedMS, result.Reason)
		}
		if len(result.Expectations) != 2 || result.Expectations[1].Path != "expect[1]" || result.Expectations[1].Held != (c.status == timeline.OK) {
			t.Errorf("%+v", result.Expectations)
		}
	}
}

// What came before the stop counts, even when it is told after it.
func TestWhatMustNotComeAndIsToldLate(t *testing.T) {
	result, _ := play(t, stopAtEnd+"expect: [{event: dtmf.in, phone_id: b, count: 1}]", func(w *world) {
		busyCall(w)
		w.at(1630*ms, func() {
			e := phone.Event{Type: "dtmf.in", PhoneID: "b", Time: time.Now().Add(-40 * ms)}
			w.append(Record{PhoneID: "b", Incarnation: 1, Seq: 9, Event: &e})
		})
	})
	if result.Status != timeline.Failed || !strings.Contains(result.Reason, "it came 2 times, at +0.500 s, +1.590 s") {
		t.Errorf("%s %s", result.Status, result.Reason)
	}
}

// A call of which the phone can tell nothing any more is judged by its last
// event.
func TestCallOfAPhoneThatIsGone(t *testing.T) {
	script := func(w *world) {
		busyCall(w)
		delete(w.info, 4)
		w.at(1601*ms, func() {
			w.happens("a", "call.state.disconnected", 4, "codec", "PCMU", "last_status", int64(200),
				"heard", map[string]any{"heard_ms": int64(1400), "silent_ms": int64(0), "missing_ms": int64(100), "tone_hz": 440.5, "tone_part": 0.9, "level_dbov": -20.1})
		})
	}
	for expect, ok := range map[string]bool{
		"{call: a, codec: PCMU, duration: {min: 1s, max: 2s}, heard: {tone_hz: 440, level_dbov: {min: -21}, silence: false}}": true,
		"{call: a, heard: {tone_hz: 450}}": false,
	} {
		result, _ := play(t, strings.Replace(stopAtEnd, "phone_id: a,", "phone_id: a, match: {codec: PCMU},", 1)+"expect: ["+expect+"]", script)
		if (result.Status == timeline.OK) != ok {
			t.Errorf("%s: %s %s", expect, result.Status, result.Reason)
		}
	}
}

// Of two runs at once, each sees the phones that it names and no others.
func TestRunsDoNotSeeEachOther(t *testing.T) {
	const text = "phones: [%s]\nhooks: [{when: dtmf.in, once: false, then: {emit: digit}}]\nexpect: [{event: dtmf.in, count: 1}, {event: user.digit, count: 1}, {event: '*', phone_id: %s, never: true}]\ntimeout_ms: 50"
	for _, c := range [][2]string{{"a", "b"}, {"b", "a"}} {
		result, _ := play(t, fmt.Sprintf(text, c[0], c[0]), func(w *world) {
			w.registered = map[phone.ID]bool{"a": false, "b": false}
			w.at(ms, func() {
				w.happens("a", "dtmf.in", 1, "digit", "1")
				w.happens("b", "dtmf.in", 1001, "digit", "2")
				w.happens(phone.ID(c[1]), "user.digit", -1) // the other run's own
			})
		})
		// Only the never of its own phone is broken, by its own digit.
		if len(result.Errors) != 1 || !strings.HasPrefix(result.Errors[0].Msg, "expect[2]") {
			t.Errorf("%s: %+v", c[0], result.Errors)
		}
	}
}
