package engine

import (
	"fmt"
	"slices"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/judge"
	"ringmaster/scenario/spec"
	"ringmaster/scenario/timeline"
)

// observe takes a batch of the feed. Records that were looked at already are
// passed over: two ways lead here.
func (r *run) observe(b batch) {
	for i := range b.records {
		rec := &b.records[i]
		if rec.Position <= r.position {
			continue
		}
		r.position = rec.Position
		if rec.Gap != nil {
			r.lost(rec)
		} else if rec.Event != nil {
			r.incarnations[rec.PhoneID] = rec.Incarnation
			r.see(rec)
			if rec.Event.Type == "phone.exited" {
				r.died(rec)
			}
		}
	}
	if b.err != nil && r.phase == running {
		msg := "the events of the phones have ended: " + b.err.Error()
		r.fault(timeline.Fault{Kind: timeline.FeedEnded, Msg: msg})
		r.end(timeline.Error, msg)
	}
}

// died takes note of the death of a worker. The run goes on; unless the scenario
// speaks of such deaths, it fails in the end.
func (r *run) died(rec *Record) {
	if !r.scope.covers(rec.PhoneID) {
		return
	}
	r.deaths[rec.PhoneID] = rec.Incarnation
	if r.scope.deaths || r.phase != running {
		return
	}
	r.fault(timeline.Fault{
		Kind: timeline.WorkerDied, PhoneID: timeline.Phone(rec.PhoneID),
		Msg: fmt.Sprintf("the worker of phone %s died (%v), of which the scenario does not speak: a hook on phone.exited or phone.restarted would make it part of it", rec.PhoneID, rec.Event.Data["reason"]),
	})
}

// lost fails the run: it cannot know what it did not see. What a worker took
// along when it died is on the timeline only: it was part of the death.
func (r *run) lost(rec *Record) {
	if !r.scope.covers(rec.PhoneID) {
		return
	}
	whose := "all phones"
	if rec.PhoneID != "" {
		whose = "phone " + string(rec.PhoneID)
	}
	r.record.note(nil, "events.lost", map[string]any{"from": int64(rec.Gap.From), "to": int64(rec.Gap.To), "whose": whose})
	if r.phase > judging || (r.phase != running && len(r.scenario.Expect) == 0) {
		return // it is decided already
	}
	if died, has := r.deaths[rec.PhoneID]; has && died == rec.Incarnation {
		return
	}
	r.fail(timeline.EventsLost, "events %d to %d of %s were lost, so the run cannot be judged; run it again with less going on", rec.Gap.From, rec.Gap.To, whose)
}

func (r *run) see(rec *Record) {
	if !r.scope.sees(*rec.Event) {
		return
	}
	r.calls.follow(*rec.Event)
	r.record.event(*rec.Event, nil)
	h := happened{event: *rec.Event, record: rec, index: len(r.history)}
	r.remember(h)
	r.effect(h)
	r.reconsider()
}

func (r *run) remember(h happened) {
	r.history = append(r.history, h)
	r.events = judge.Insert(r.events, h.event)
}

// raise puts an event of the run's own into the history. It has its effect
// when what is going on now is done. by is the sequence that raised it.
func (r *run) raise(by *sequence, e phone.Event, chain int) {
	e.Time = time.Now()
	if e.Data == nil {
		e.Data = map[string]any{}
	}
	r.record.event(e, by)
	if r.env.Publish != nil && (e.Type == "scenario.started" || e.Type == "scenario.stopped" || spec.EventPattern("user.*").Matches(e.Type)) {
		r.env.Publish(e)
	}
	h := happened{event: e, index: len(r.history), chain: chain, raisedBy: by}
	r.remember(h)
	r.raised = append(r.raised, h)
}

// react gives the run's own events their effect, oldest first.
func (r *run) react() {
	for len(r.raised) > 0 {
		h := r.raised[0]
		r.raised = r.raised[1:]
		r.effect(h)
	}
	if r.record.full() {
		r.overflow()
	}
}

// overflow fails the run: what is not recorded cannot be judged.
func (r *run) overflow() {
	if r.phase == running {
		r.fail(timeline.Limit, "the timeline has reached %d entries; match fewer events, or end the run sooner", maxEntries)
	}
}

// effect is what an event does; doc.go has the order.
func (r *run) effect(h happened) {
	r.wake(h)
	for _, hook := range r.hooks {
		if hook.armed && r.mayFire(h) && hook.Matches(h.event) {
			hook.armed = !hook.Once
			r.fire(hook, h)
		}
	}
	r.react()
	if r.phase != running {
		return
	}
	for _, stop := range r.scenario.StopOn {
		if stop.Matches(h.event) {
			r.end(timeline.OK, stop.Path+": "+describe(h.event))
			return
		}
	}
	if r.stopOnAll(h.event) {
		return
	}
	if h.event.Type == "user.scenario_failed" {
		r.fault(timeline.Fault{
			Kind: timeline.Emitted, Msg: "user.scenario_failed was raised by " + h.raisedBy.id,
			PhoneID: timeline.Phone(h.event.PhoneID), CallID: h.event.CallID,
			HookID: timeline.Text(h.raisedBy.id), PatternName: timeline.Text(h.raisedBy.pattern),
		})
		r.end(timeline.Failed, "user.scenario_failed was raised by "+h.raisedBy.id)
	}
}

// stopOnAll notes the entries of stop_on_all that an event is, and ends the
// run with the last of them. It says whether the event was one.
func (r *run) stopOnAll(e phone.Event) bool {
	hit := ""
	for i, stop := range r.scenario.StopOnAll {
		if stop.Matches(e) {
			hit = stop.Path
			r.came[i] = true
		}
	}
	if hit != "" && !slices.Contains(r.came, false) {
		r.end(timeline.OK, "all of stop_on_all came, the last "+hit+": "+describe(e))
	}
	return hit != ""
}

// mayFire: when the run is ending, only scenario.stopped fires hooks; and a
// hook on action.failed that fails itself does not fire hooks again.
func (r *run) mayFire(h happened) bool {
	if h.event.Type == "scenario.stopped" {
		return r.phase == cleaning
	}
	return r.phase == running && (h.event.Type != "action.failed" || !h.raisedBy.afterFailure)
}

func (r *run) fire(h *hook, cause happened) {
	s := &sequence{
		id: h.ID, where: h.ID, pattern: h.Pattern, actions: h.Then, event: cause.event, phone: cause.event.PhoneID,
		chain: cause.chain, cleanup: r.phase == cleaning,
		afterFailure: cause.event.Type == "action.failed",
		since:        mark{index: cause.index + 1, position: r.position},
	}
	if len(h.Phones) == 1 {
		s.phone, s.onPhone = h.Phones[0], h.Phones[0]
	}
	r.record.note(s, "hook.fired", map[string]any{"event": cause.event.Type})
	if err := r.capture(s, h.Capture, cause.event); err != nil {
		s.at, s.begun = spec.Action{Name: "capture"}, time.Now()
		r.failed(s, err)
		return
	}
	r.start(s)
}

// wake lets the sequences go on that wait for this event.
func (r *run) wake(h happened) {
	for _, s := range slices.Clone(r.sequences) {
		if s.waiting == nil || s.since.before(h) {
			continue
		}
		switch {
		case s.waiting.wants(h.event):
			r.awaited(s, h)
		case s.waiting.refuses(h.event):
			r.refused(s, h)
		}
	}
}
