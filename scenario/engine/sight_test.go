package engine

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

func TestWhichPhonesARunSees(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool // sees phone c
	}{
		{"phones: [a]\nhooks: [{when: dtmf.in, then: hangup}]", false},
		{"phones: [a]\nhooks: [{when: dtmf.in, on_phone: c, then: hangup}]", true},
		{"hooks: [{when: dtmf.in, then: hangup}]", true},
		{"hooks: [{when: dtmf.in, on_phone: a, then: hangup}]", false},
		{"hooks: [{when: dtmf.in, on_phone: a, then: {wait_until: {event: dtmf.in, phone_id: '*'}}}]", true},
		{"hooks: [{when: dtmf.in, on_phone: a, then: {wait_until: dtmf.in}}]", false},
		{"initial_actions: [{wait_until: dtmf.in}]", true},
		{"initial_actions: [{wait_until: {event: dtmf.in, phone_id: a}}]", false},
		{"stop_on: [{event: dtmf.in}]", true},
		{"stop_on_all: [{event: dtmf.in}]", true},
		{"stop_on_all: [{event: dtmf.in, phone_id: a}]", false},
		{"expect: [dtmf.in]", true},
		{"expect: [{event: dtmf.in, phone_id: a}]", false},
		{"expect: [{event: dtmf.in, phone_id: a, after: {event: dtmf.in, phone_id: c}}]", true},
		{"phones: [a]\nexpect: [{call: a, heard: {from: c}}]", true},
		{"phones: [a]\nexpect: [dtmf.in]", false},
		{"hooks: [{when: dtmf.in, on_phone: a, then: {assert: dtmf.in}}]", true},
		{"hooks: [{when: dtmf.in, on_phone: a, then: {assert: {event: dtmf.in, phone_id: a}}}]", false},
		{"hooks: [{when: dtmf.in, on_phone: a, then: {repeat: {count: 2, until: dtmf.in, actions: hangup}}}]", true},
		{"hooks: [{when: dtmf.in, on_phone: a, then: {repeat: {count: 2, actions: [{hangup: {phone_id: c}}]}}}]", true},
		{"hooks: [{when: dtmf.in, on_phone: a, then: {parallel: [[hangup], [{wait_until: {event: dtmf.in, phone_id: c}}]]}}]", true},
		{"finally: [{hangup: {phone_id: c}}]", true},
		{"stop_on: [{event: dtmf.in, phone_id: [a, b]}]", false},
		{"stop_on: [{event: dtmf.in, phone_id: [a, c]}]", true},
	} {
		sc := scopeOf(parse(t, c.text))
		if got := sc.covers("c"); got != c.want {
			t.Errorf("%s: sees c: %v", c.text, got)
		}
	}
}

// An assert, an expectation or a repeat that names a trace makes the run see it.
func TestTracesThatFactsName(t *testing.T) {
	for _, text := range []string{
		"expect: [{event: sip.request.bye, phone_id: a}]",
		"expect: [{in_order: [dtmf.in, sip.request.bye]}]",
		"hooks: [{when: dtmf.in, then: {assert: {event: sip.request.bye, never: true}}}]",
		"hooks: [{when: dtmf.in, then: {repeat: {count: 1, until: sip.request.*, actions: hangup}}}]",
		"finally: [{parallel: [[{wait: 1}], [{wait_until: sip.request.bye}]]}]",
		"stop_on_all: [{event: sip.request.bye}]",
	} {
		sc := scopeOf(parse(t, text))
		if !sc.sees(phone.Event{Type: "sip.request.bye", PhoneID: "a"}) || sc.sees(phone.Event{Type: "media.started", PhoneID: "a"}) || !sc.wantsTraces() {
			t.Errorf("%s: %+v", text, sc)
		}
	}
}

func TestRunsOwnEventsAndTraces(t *testing.T) {
	text := "phones: [a]\nhooks: [{when: sip.request.bye, then: {checkpoint: bye}}, {when: '*', once: false, then: {log: any}}]\ntimeout_ms: 50"
	result, _ := play(t, text, func(w *world) {
		w.at(ms, func() {
			w.happens("a", "sip.request.bye", -1)
			w.happens("a", "sip.request.ack", -1)
			w.happens("a", "user.of_another_run", -1)
			w.happens("a", "dialog.state", -1)
			w.happens("b", "dtmf.in", -1)
			w.happens("a", "dtmf.in", -1)
		})
	})
	want := "reg.success log scenario.started sip.request.bye checkpoint log dtmf.in log scenario.stopped"
	if got := told(result, "reg", "log", "scenario", "sip", "user", "dialog", "dtmf", "checkpoint"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEntriesNameEverything(t *testing.T) {
	result, _ := play(t, "phones: [a]\nhooks: [{id: mine, when: dtmf.in, then: [{send_dtmf: '5'}]}]\ntimeout_ms: 50", func(w *world) {
		w.at(7*ms, func() { w.happens("a", "dtmf.in", 3, "digit", "1") })
	})
	for _, e := range result.Timeline {
		switch e.Type {
		case "dtmf.in":
			if e.Kind != timeline.Event || e.OffsetMS != 7 || *e.PhoneID != "a" || *e.CallID != 3 || e.HookID != nil || e.PatternName != nil || e.Data["digit"] != "1" {
				t.Errorf("event %+v", e)
			}
		case "send_dtmf":
			if e.Kind != timeline.Action || *e.HookID != "mine" || *e.CallID != 3 || e.Data["digits"] != "5" || e.Data["elapsed_ms"] != 0.0 {
				t.Errorf("action %+v", e)
			}
		}
	}
	if got := told(result, ""); got != "reg.success scenario.started dtmf.in hook.fired send_dtmf scenario.stopped" {
		t.Errorf("timeline: %s", got)
	}
}

// files gives artifacts and remembers what it was asked.
type files struct{ asked []FileQuery }

func (f *files) Artifact(_ context.Context, q FileQuery) *timeline.Artifact {
	f.asked = append(f.asked, q)
	return &timeline.Artifact{Recording: timeline.Text(fmt.Sprintf("/%s/%v.wav", q.PhoneID, q.Calls))}
}

func TestArtifactsOfThisRunOnly(t *testing.T) {
	s := parse(t, "phones: [a, b]\npatterns: [{use: collect-recordings, phone_ids: a}]\nstop_on: [{event: call.state.disconnected}]")
	synctest.Test(t, func(t *testing.T) {
		w, f := newWorld(), &files{}
		w.happens("a", "call.state.calling", 1)
		w.at(ms, func() { w.happens("a", "call.state.calling", 2); w.happens("a", "call.state.confirmed", 1) })
		w.at(2*ms, func() { w.happens("a", "call.state.disconnected", 2) })
		result := Run(t.Context(), s, Env{Phones: w, Feed: w, Files: f})
		if got := result.Artifacts["a"]; got == nil || *got.Recording != "/a/[2].wav" {
			t.Errorf("a: %+v", got)
		}
		if b, there := result.Artifacts["b"]; !there || b != nil {
			t.Errorf("b: %v %v", b, there)
		}
		if len(f.asked) != 2 || len(f.asked[0].Ended) != 1 {
			t.Errorf("asked %+v", f.asked)
		}
		if got := told(result, "collect", "recording"); got != "collect_recordings recording" {
			t.Errorf("timeline %s", got)
		}
	})
}
