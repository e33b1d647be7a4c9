package engine

import (
	"strings"
	"testing"

	"ringmaster/proto/phone"
	"ringmaster/scenario/timeline"
)

// dies lets the worker of a phone die, as the fleet tells it, with a call and
// with events that nobody has seen.
func (w *world) dies(id phone.ID, call int64) {
	w.happens(id, "phone.exited", -1, "reason", "signal: killed", "events_lost", int64(2))
	w.append(Record{PhoneID: id, Incarnation: 1, Seq: 9, Gap: &phone.Gap{From: 8, To: 9}})
	w.happens(id, "call.state.disconnected", call, "reason", "worker exited")
	w.happens(id, "phone.restarted", -1)
	w.happens(id, "reg.success", -1)
}

// A run goes on after the death of a worker. It passes when the scenario speaks
// of such deaths, and fails when not, whatever ended it.
func TestTheDeathOfAWorker(t *testing.T) {
	for _, c := range []struct {
		name, text string
		status     timeline.Status
		reason     string // part of it
		told       string
	}{
		{"hooks on death and return fire", `
phones: [a, b]
hooks:
  - {when: phone.exited, on_phone: a, then: {checkpoint: dead}}
  - {when: phone.restarted, on_phone: a, then: {make_call: {to: "sip:b@h"}}}
  - {when: dtmf.in, on_phone: a, then: {checkpoint: again}}
stop_on: [{event: dtmf.in, phone_id: a}]`,
			timeline.OK, "dtmf.in", "phone.exited checkpoint events.lost call.state.disconnected phone.restarted make_call call.state.calling dtmf.in checkpoint"},
		{"an initial action waits for the return", `
phones: [a]
initial_actions: [{wait_until: {event: phone.restarted, phone_id: a}}, {checkpoint: back}]
timeout_ms: 50`,
			timeline.OK, "", "phone.exited events.lost call.state.disconnected phone.restarted checkpoint dtmf.in"},
		{"nothing is said of deaths, and the run's end is what the death brought", "phones: [a]\nstop_on: [{event: call.state.disconnected}]",
			timeline.Failed, "the worker of phone a died (signal: killed)", "phone.exited events.lost call.state.disconnected phone.restarted"},
		{"nothing is said of deaths, and it runs its time", "phones: [a]\nhooks: [{when: dtmf.in, then: {checkpoint: again}}]\ntimeout_ms: 50",
			timeline.Failed, "the worker of phone a died (signal: killed)", "phone.exited events.lost call.state.disconnected phone.restarted dtmf.in checkpoint"},
		{"everything is matched, which is nothing in particular", "phones: [a]\nhooks: [{when: '*', then: {log: x}}]\ntimeout_ms: 50",
			timeline.Failed, "the worker of phone a died", "phone.exited events.lost call.state.disconnected phone.restarted dtmf.in"},
		{"a phone of others", "phones: [b]\nhooks: [{when: dtmf.in, then: {checkpoint: again}}]\ntimeout_ms: 50", timeline.OK, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			result, _ := play(t, c.text, func(w *world) {
				w.at(ms, func() { w.dies("a", 3) })
				w.at(10*ms, func() { w.happens("a", "dtmf.in", 4) })
			})
			if result.Status != c.status || !strings.Contains(result.Reason, c.reason) {
				t.Errorf("%s: %s; want %s: %s", result.Status, result.Reason, c.status, c.reason)
			}
			if got := told(result, "phone", "checkpoint", "events", "call", "make", "dtmf"); got != c.told {
				t.Errorf("\ngot  %s\nwant %s", got, c.told)
			}
			if died := len(result.Errors) == 1 && result.Errors[0].Kind == timeline.WorkerDied; died != (c.status == timeline.Failed) {
				t.Errorf("errors: %+v", result.Errors)
			}
		})
	}
}

// What the successor loses is lost for the run, too.
func TestALostEventAfterADeathIsNoPass(t *testing.T) {
	result, _ := play(t, "phones: [a]\nhooks: [{when: phone.restarted, then: {checkpoint: back}}]\ntimeout_ms: 50", func(w *world) {
		w.at(ms, func() {
			w.dies("a", 3)
			w.append(Record{PhoneID: "a", Incarnation: 2, Seq: 3, Gap: &phone.Gap{From: 2, To: 3}})
		})
	})
	if result.Status != timeline.Failed || !strings.Contains(result.Reason, "events 2 to 3 of phone a were lost") {
		t.Errorf("%s: %s", result.Status, result.Reason)
	}
}
