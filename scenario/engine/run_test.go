package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

const ms = time.Millisecond

// Each scenario, what happens while it runs, and what must come of it.
func TestRun(t *testing.T) {
	for _, c := range []struct {
		name, text string
		script     func(*world)
		status     timeline.Status
		reason     string   // a part of it
		did        []string // all commands
		elapsed    time.Duration
	}{
		{
			name: "stop_on ends the run at once",
			text: "stop_on: [{phone_id: a, event: call.state.disconnected, match: {last_status: 200}}]",
			script: func(w *world) {
				w.at(30*ms, func() { w.happens("a", "call.state.disconnected", 4, "last_status", int64(200)) })
			},
			status: timeline.OK, reason: "stop_on[0]: call.state.disconnected on a (call 4), 200", elapsed: 30 * ms,
		},
		{
			name: "what does not match does not end it",
			text: "stop_on: [{phone_id: a, event: call.state.disconnected, call_id: 2, match: {last_status: 4xx}}]\ntimeout_ms: 100",
			script: func(w *world) {
				w.happens("a", "call.state.disconnected", 2, "last_status", int64(486)) // before the run
				w.at(ms, func() {
					w.happens("b", "call.state.disconnected", 2, "last_status", int64(486))
					w.happens("a", "call.state.disconnected", 3, "last_status", int64(486))
					w.happens("a", "call.state.disconnected", 2, "last_status", int64(200))
					w.happens("a", "call.state.confirmed", 2, "last_status", int64(486))
				})
			},
			status: timeline.Timeout, reason: "no stop_on came within 100 ms", elapsed: 100 * ms,
		},
		{
			name: "no stop_on runs its full time", text: "timeout_ms: 2s",
			status: timeline.OK, reason: "ran its full 2000 ms", elapsed: 2 * time.Second,
		},
		{
			name: "no stop_on with a wait still open is a timeout", text: "phones: [a]\ninitial_actions: [wait_until: dtmf.in]\ntimeout_ms: 2s",
			status: timeline.Timeout, reason: "initial_actions, step 1: wait_until dtmf.in", elapsed: 2 * time.Second,
		},
		{
			name: "two phones, delay, digits, hang up",
			text: `
phones: [a, b]
patterns:
  - {use: auto-answer, phone_id: b, delay_ms: 200}
  - {use: make-call-and-wait-confirmed, phone_id: a, dest_uri: "sip:b@127.0.0.1"}
  - {use: send-dtmf-on-confirmed, phone_id: a, digits: "12"}
  - {use: hangup-after-duration, phone_id: a, duration_ms: 1s}
stop_on: [{phone_id: b, event: call.state.disconnected}]`,
			script: twoPhones,
			status: timeline.OK, elapsed: 1200 * ms,
			did: []string{"0ms a MakeCall sip:b@127.0.0.1 map[]", "200ms b Answer 200 call=1000", "300ms a SendDTMF 12 call=0", "1200ms a Hangup call=0"},
		},
		{
			name: "once and always",
			text: "hooks: [{when: dtmf.in, then: [{log: one}, hold]}, {when: dtmf.in, once: false, then: unhold}]\ntimeout_ms: 50",
			script: func(w *world) {
				w.at(ms, func() { w.happens("a", "dtmf.in", 7); w.happens("b", "dtmf.in", 8) })
			},
			status: timeline.OK, elapsed: 50 * ms,
			did: []string{"1ms a Hold call=7", "1ms a Unhold call=7", "1ms b Unhold call=8"},
		},
		{
			name: "another phone's action does not take the event's call",
			text: "hooks: [{when: dtmf.in, on_phone: a, then: [{hold: {phone_id: b}}, {hold: {phone_id: b, call_id: 0}}, hold]}]\ntimeout_ms: 50",
			script: func(w *world) {
				w.at(ms, func() { w.happens("a", "dtmf.in", 7) })
			},
			status: timeline.OK, elapsed: 50 * ms,
			did: []string{"1ms b Hold", "1ms b Hold call=0", "1ms a Hold call=7"},
		},
		{
			name: "every action",
			text: `
hooks:
  - when: dtmf.in
    on_phone: a
    then:
      - answer: 180
      - reject: 603
      - {blind_transfer: "sip:c@h"}
      - attended_transfer
      - {attended_transfer: {call_id: 1, dest_call_id: 2}}
      - {conference: [1, 2]}
      - {play_audio: {file: x.wav, loop: true}}
      - stop_audio
      - {send_message: {to: "sip:c@h", body: hi}}
      - {set_codecs: [PCMA]}
      - register
      - unregister
      - {hangup_all: b}
      - hangup_all
      - {make_call: {to: "sip:c@h", headers: {X-A: b}}}
timeout_ms: 50`,
			script: func(w *world) { w.at(ms, func() { w.happens("a", "dtmf.in", 7) }) },
			status: timeline.OK, elapsed: 50 * ms,
			did: []string{
				"1ms a Answer 180 call=7", "1ms a Reject 603 call=7", "1ms a BlindTransfer sip:c@h call=7", "1ms a AttendedTransfer",
				"1ms a AttendedTransfer call=1 call=2", "1ms a Conference [1 2]", "1ms a PlayAudio x.wav loop=true call=7", "1ms a StopAudio call=7",
				"1ms a SendMessage {DestURI:sip:c@h Body:hi ContentType:}", "1ms a SetCodecs PCMA call=7", "1ms a Register {}", "1ms a Unregister {}",
				"1ms b HangupAll {}", "1ms a HangupAll {}", "1ms a MakeCall sip:c@h map[X-A:b]",
			},
		},
		{
			name: "a failed action skips the rest of its hook only",
			text: "hooks: [{when: dtmf.in, then: [hold, unhold]}, {when: dtmf.in, then: stop_audio}]\nstop_on: [{event: call.state.disconnected}]",
			script: func(w *world) {
				w.on = refuse("Hold")
				w.at(ms, func() { w.happens("a", "dtmf.in", 7) })
				w.at(9*ms, func() { w.happens("a", "call.state.disconnected", 7) })
			},
			status: timeline.Failed, reason: "hold in hooks[0] failed: a refused: 488", elapsed: 9 * ms,
			did: []string{"1ms a Hold call=7", "1ms a StopAudio call=7"},
		},
		{
			name: "on_error: continue",
			text: "hooks: [{when: dtmf.in, then: [{hold: {on_error: continue}}, unhold]}]\nstop_on: [{event: call.state.disconnected}]",
			script: func(w *world) {
				w.on = refuse("Hold")
				w.at(ms, func() { w.happens("a", "dtmf.in", 7) })
				w.at(9*ms, func() { w.happens("a", "call.state.disconnected", 7) })
			},
			status: timeline.OK, elapsed: 9 * ms, did: []string{"1ms a Hold call=7", "1ms a Unhold call=7"},
		},
		{
			name: "a failed initial action ends the run at once",
			text: "initial_actions: [{hold: {phone_id: a}}, {unhold: {phone_id: a}}]",
			script: func(w *world) {
				w.on = refuse("Hold")
			},
			status: timeline.Failed, reason: "hold in initial_actions failed", did: []string{"0ms a Hold"},
		},
		{
			name:   "a phone that is not there",
			text:   "hooks: [{when: dtmf.in, then: [{hold: {phone_id: nobody}}]}]",
			status: timeline.Error, reason: `phone_id "nobody" not found`,
		},
		{
			name: "a lost event is no pass",
			text: "phones: [a]\nstop_on: [{event: dtmf.in}]",
			script: func(w *world) {
				w.at(ms, func() {
					w.append(Record{PhoneID: "b", Gap: &phone.Gap{From: 1, To: 2}}) // of no concern
					w.append(Record{PhoneID: "a", Gap: &phone.Gap{From: 3, To: 5}})
					w.happens("a", "dtmf.in", 0)
				})
			},
			status: timeline.Failed, reason: "events 3 to 5 of phone a were lost", elapsed: ms,
		},
		{
			name: "wait_until counts from the last step that did something",
			text: `
initial_actions:
  - {make_call: {from_phone: a, to: "sip:b@h"}}
  - wait: 50
  - {wait_until: {event: call.state.confirmed, phone_id: a}}
  - {wait_until: {event: dtmf.in, phone_id: a}}
  - {wait_until: {event: dtmf.in, phone_id: a, match: {digit: "2"}, timeout_ms: 1s}}
  - {hangup: {phone_id: a}}
timeout_ms: 300`,
			script: func(w *world) {
				w.happens("a", "call.state.confirmed", 9) // before the run
				w.at(10*ms, func() { w.happens("a", "call.state.confirmed", 0) })
				w.at(60*ms, func() { w.happens("a", "dtmf.in", 9, "digit", "9") }) // another call
				w.at(70*ms, func() { w.happens("a", "dtmf.in", 0, "digit", "1") })
				w.at(90*ms, func() { w.happens("a", "dtmf.in", 0, "digit", "2") })
			},
			status: timeline.OK, elapsed: 300 * ms,
			did: []string{"0ms a MakeCall sip:b@h map[]", "90ms a Hangup call=0"},
		},
		{
			name: "one event does not meet two waits",
			text: "initial_actions: [{wait_until: {event: dtmf.in, phone_id: a}}, {wait_until: {event: dtmf.in, phone_id: a, timeout_ms: 50}}]\ntimeout_ms: 1s",
			script: func(w *world) {
				w.at(10*ms, func() { w.happens("a", "dtmf.in", 0, "digit", "1") })
			},
			status: timeline.Failed, reason: "no dtmf.in on a within 50 ms", elapsed: 60 * ms,
		},
		{
			name: "unless fails a wait at once",
			text: "patterns: [{use: make-call-and-wait-confirmed, phone_id: a, dest_uri: 'sip:b@h'}]\nstop_on: [{event: call.state.disconnected}]",
			script: func(w *world) {
				w.at(10*ms, func() {
					w.happens("a", "call.state.disconnected", 0, "last_status", int64(486), "last_status_text", "Busy Here")
				})
			},
			status: timeline.Failed, reason: "call.state.disconnected on a (call 0), 486 Busy Here came before call.state.confirmed on a (call 0)", elapsed: 10 * ms,
			did: []string{"0ms a MakeCall sip:b@h map[]"},
		},
		{
			name: "registered phones have said so, others have not",
			text: "patterns: [{use: wait-for-registration, phone_id: a}, {use: wait-for-registration, phone_id: c, timeout_ms: 40}]",
			script: func(w *world) {
				w.at(10*ms, func() { w.happens("c", "reg.failed", -1, "status_code", int64(403)) })
			},
			status: timeline.Failed, reason: "no reg.success on c within 40 ms", elapsed: 40 * ms,
		},
		{
			name: "user events fire hooks and carry the phone",
			text: "hooks: [{when: dtmf.in, then: [{emit: ready}, hold]}, {when: user.ready, then: unhold}, {when: user.ready, on_phone: b, then: stop_audio}]\nstop_on: [{event: user.ready}]",
			script: func(w *world) {
				w.at(ms, func() { w.happens("a", "dtmf.in", 7) })
			},
			status: timeline.OK, reason: "stop_on[0]: user.ready on a (call 7)", elapsed: ms,
			did: []string{"1ms a Hold call=7", "1ms a Unhold call=7", "1ms b StopAudio"},
		},
		{
			name:   "user events that answer each other for ever",
			text:   "hooks: [{when: [scenario.started, user.ping], once: false, then: {emit: ping}}]\nstop_on: [{event: dtmf.in}]\ntimeout_ms: 1s",
			status: timeline.Failed, reason: "100 user events have answered one another", elapsed: time.Second,
		},
		{
			name:   "user events with a pause may go on",
			text:   "hooks: [{when: [scenario.started, user.ping], once: false, then: [wait: 5, emit: ping]}]\ntimeout_ms: 2s",
			status: timeline.OK, elapsed: 2 * time.Second,
		},
		{
			name: "scenario_failed that nobody names fails the run, even beside a stop",
			text: "patterns: [{use: fail-fast-on-error, phone_ids: [a, b]}]\nstop_on: [{event: call.state.disconnected}]",
			script: func(w *world) {
				w.at(ms, func() { w.happens("b", "call.state.disconnected", 3, "last_status", int64(486)) })
			},
			status: timeline.Failed, reason: "user.scenario_failed was raised by patterns[0].watch", elapsed: ms,
		},
		{
			name: "scenario_failed that a stop_on names ends it as written",
			text: "patterns: [{use: fail-fast-on-error, phone_ids: [a, b]}]\nstop_on: [{event: user.scenario_failed}]",
			script: func(w *world) {
				w.at(ms, func() { w.happens("b", "call.state.disconnected", 3, "last_status", int64(486)) })
			},
			status: timeline.OK, reason: "user.scenario_failed on b", elapsed: ms,
		},
		{
			name: "hooks on scenario.stopped run after the end, and may fail it",
			text: "phones: [a, b]\nhooks: [{when: scenario.stopped, then: [hangup_all, wait: 100, {hold: {phone_id: b}}]}]\nstop_on: [{event: dtmf.in}]",
			script: func(w *world) {
				w.on = refuse("Hold")
				w.at(ms, func() { w.happens("a", "dtmf.in", 7) })
			},
			status: timeline.Failed, reason: "hold in hooks[0] failed: b refused: 488", elapsed: 101 * ms,
			did: []string{"1ms HangupAll", "1ms HangupAll", "101ms b Hold"},
		},
		{
			name: "a hook on a failed action that fails too",
			text: "hooks: [{when: dtmf.in, then: hold}, {when: action.failed, once: false, then: hold}]\nstop_on: [{event: call.state.disconnected}]\ntimeout_ms: 20",
			script: func(w *world) {
				w.on = refuse("Hold")
				w.at(ms, func() { w.happens("a", "dtmf.in", 7) })
			},
			status: timeline.Failed, elapsed: 20 * ms, did: []string{"1ms a Hold call=7", "1ms a Hold call=7"},
		},
		{
			name:   "a callback that does not come",
			text:   "patterns: [{use: wait-for-callback, phone_id: b, timeout_ms: 500}]\ntimeout_ms: 1s",
			status: timeline.Failed, reason: "no call.state.incoming on b within 500 ms", elapsed: time.Second,
		},
		{
			name: "a callback that comes is answered",
			text: "patterns: [{use: wait-for-callback, phone_id: b, timeout_ms: 500}]\ntimeout_ms: 1s",
			script: func(w *world) {
				w.at(400*ms, func() { w.happens("b", "call.state.incoming", 5) })
			},
			status: timeline.OK, elapsed: time.Second, did: []string{"400ms b Answer 200 call=5"},
		},
		{
			name:   "conference: auto takes confirmed calls",
			text:   "initial_actions: [{conference: auto, phone_id: a}]\ntimeout_ms: 10",
			script: func(w *world) { w.on = callsOf(phone.StateConfirmed, phone.StateEarly, phone.StateConfirmed) },
			status: timeline.OK, elapsed: 10 * ms, did: []string{"0ms a ListCalls {}", "0ms a Conference [0 2]"},
		},
		{
			name:   "conference: auto needs two",
			text:   "initial_actions: [{conference: auto, phone_id: a}]\ntimeout_ms: 10",
			script: func(w *world) { w.on = callsOf(phone.StateConfirmed, phone.StateDisconnected) },
			status: timeline.Failed, reason: "a has 1 confirmed calls; a conference needs at least two", did: []string{"0ms a ListCalls {}"},
		},
		{
			name: "a command under way at the end may finish, the rest is left",
			text: "hooks: [{when: dtmf.in, then: [hold, unhold]}]\nstop_on: [{event: call.state.disconnected}]",
			script: func(w *world) {
				w.on = slow("Hold", 300*ms)
				w.at(ms, func() { w.happens("a", "dtmf.in", 7) })
				w.at(2*ms, func() { w.happens("a", "call.state.disconnected", 7) })
			},
			status: timeline.OK, elapsed: 301 * ms, did: []string{"1ms a Hold call=7"},
		},
		{
			name: "but not for ever",
			text: "hooks: [{when: dtmf.in, then: [hold, unhold]}]\nstop_on: [{event: call.state.disconnected}]",
			script: func(w *world) {
				w.on = slow("Hold", time.Hour)
				w.at(ms, func() { w.happens("a", "dtmf.in", 7) })
				w.at(2*ms, func() { w.happens("a", "call.state.disconnected", 7) })
			},
			status: timeline.OK, elapsed: 1002 * ms, did: []string{"1ms a Hold call=7"},
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
			if len(did) != len(c.did) {
				t.Fatalf("did:\n %s\nwant:\n %s", strings.Join(did, "\n "), strings.Join(c.did, "\n "))
			}
			for i := range did {
				if !sameWords(did[i], c.did[i]) {
					t.Errorf("did %q, want %q", did[i], c.did[i])
				}
			}
		})
	}
}

// sameWords compares commands; a want without a phone leaves it open.
func sameWords(got, want string) bool {
	return got == want || (strings.Count(want, " ") == 1 && strings.HasPrefix(got, strings.Fields(want)[0]) && strings.Contains(got, strings.Fields(want)[1]))
}

// twoPhones lets a's calls ring at b as call 1000, and both follow what the
// other does.
func twoPhones(w *world) {
	w.on = func(_ context.Context, _ phone.ID, cmd phone.Command) (phone.Outcome, error, bool) {
		switch cmd.(type) {
		case phone.MakeCall:
			w.happens("b", "call.state.incoming", 1000)
		case phone.Answer:
			w.happens("b", "call.state.confirmed", 1000)
			w.happens("a", "call.state.confirmed", 0)
		case phone.Hangup:
			w.happens("a", "call.state.disconnected", 0)
			w.happens("b", "call.state.disconnected", 1000)
		}
		return phone.Outcome{}, nil, false
	}
}

type answerer = func(context.Context, phone.ID, phone.Command) (phone.Outcome, error, bool)

func refuse(verb string) answerer {
	return func(_ context.Context, id phone.ID, cmd phone.Command) (phone.Outcome, error, bool) {
		return phone.Outcome{}, fmt.Errorf("%s refused: 488", id), strings.HasPrefix(words(cmd), verb)
	}
}

func slow(verb string, d time.Duration) answerer {
	return func(ctx context.Context, _ phone.ID, cmd phone.Command) (phone.Outcome, error, bool) {
		if !strings.HasPrefix(words(cmd), verb) {
			return phone.Outcome{}, nil, false
		}
		select {
		case <-time.After(d):
			return phone.Outcome{}, nil, true
		case <-ctx.Done():
			return phone.Outcome{}, ctx.Err(), true
		}
	}
}

func callsOf(states ...phone.State) answerer {
	return func(_ context.Context, _ phone.ID, cmd phone.Command) (phone.Outcome, error, bool) {
		var out phone.Outcome
		for i, s := range states {
			out.Calls = append(out.Calls, phone.CallInfo{CallID: phone.CallID(i), State: s})
		}
		_, lists := cmd.(phone.ListCalls)
		return out, nil, lists
	}
}

func TestCancelHangsUpWhatTheRunCalled(t *testing.T) {
	s := parse(t, "initial_actions: [{make_call: {from_phone: a, to: 'sip:b@h'}}, {make_call: {from_phone: a, to: 'sip:b@h'}}, {wait_until: {event: dtmf.in}}]\nhooks: [{when: scenario.stopped, then: {hangup_all: a}}]")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		ctx, cancel := context.WithCancelCause(t.Context())
		w.at(10*ms, func() { w.happens("a", "call.state.disconnected", 0) })
		w.at(20*ms, func() { cancel(errors.New("the client has gone")) })
		result := Run(ctx, s, Env{Phones: w, Feed: w})
		if result.Status != timeline.Error || result.Reason != "the run was cancelled: the client has gone" || result.ElapsedMS != 20 {
			t.Errorf("%s %s %d", result.Status, result.Reason, result.ElapsedMS)
		}
		if want := "20ms a Hangup call=1"; len(w.did) != 3 || w.did[2] != want {
			t.Errorf("did %q, want %q last", w.did, want)
		}
	})
}

// late is a feed whose waiting reader is never served in time.
type late struct{ *world }

func (l late) Read(ctx context.Context, after uint64, traces bool) ([]Record, error) {
	if ctx.Err() == nil {
		<-ctx.Done()
	}
	return l.world.Read(ctx, after, traces)
}

func TestWhatIsInTheJournalCountsBeforeAnAlarm(t *testing.T) {
	s := parse(t, "initial_actions: [{wait_until: {event: dtmf.in, timeout_ms: 100}}]\nstop_on: [{event: call.state.confirmed}]\ntimeout_ms: 200")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.at(90*ms, func() { w.happens("a", "dtmf.in", 0) })
		w.at(190*ms, func() { w.happens("a", "call.state.confirmed", 0) })
		if result := Run(t.Context(), s, Env{Phones: w, Feed: late{w}}); result.Status != timeline.OK {
			t.Errorf("%s %s", result.Status, result.Reason)
		}
	})
}

// twice is a feed whose waiting reader gets, after a while, what was read
// without waiting before.
type twice struct {
	*world
	served chan struct{}
}

func (f twice) Read(ctx context.Context, after uint64, traces bool) ([]Record, error) {
	if ctx.Err() == nil {
		select {
		case <-f.served:
		case <-ctx.Done():
		}
	}
	return f.world.Read(ctx, after, traces)
}

func TestEveryRecordHasItsEffectOnce(t *testing.T) {
	s := parse(t, "initial_actions: [wait: 100]\nhooks: [{when: dtmf.in, once: false, then: hold}]\ntimeout_ms: 200")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		f := twice{w, make(chan struct{})}
		w.at(90*ms, func() { w.happens("a", "dtmf.in", 0) })
		w.at(150*ms, func() { close(f.served) })
		Run(t.Context(), s, Env{Phones: w, Feed: f})
		if want := "100ms a Hold call=0"; len(w.did) != 1 || w.did[0] != want {
			t.Errorf("did %q, want %q", w.did, want)
		}
	})
}

// What another phone did because of a command may reach the feed before what
// the commanded phone did just before it: that is not after the command.
func TestLateEventIsBeforeTheCommand(t *testing.T) {
	text := "initial_actions: [{hold: {phone_id: a}}, {wait_until: {event: dtmf.in, phone_id: a, timeout_ms: 50}}]\ntimeout_ms: 1s"
	result, _ := play(t, text, func(w *world) {
		w.seq["a"] = 3 // the worker's journal is at 3 when it accepts
		w.on = func(context.Context, phone.ID, phone.Command) (phone.Outcome, error, bool) {
			e := phone.Event{Type: "dtmf.in", PhoneID: "a", Time: time.Now()}
			w.append(Record{PhoneID: "a", Incarnation: 1, Seq: 3, Event: &e})
			return phone.Outcome{}, nil, false
		}
	})
	if result.Status != timeline.Failed || !strings.Contains(result.Reason, "no dtmf.in") {
		t.Errorf("%s %s", result.Status, result.Reason)
	}
}
