package engine

import (
	"fmt"
	"slices"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
	"ringmaster/scenario/timeline"
)

// sequence is one run through the actions of a hook, or of the initial
// actions.
type sequence struct {
	id      string // of the hook
	where   string // the id, and the steps that this one is within
	pattern string
	actions []spec.Action
	event   phone.Event // that fired it; the zero Event for initial actions
	onPhone phone.ID    // the hook's only on_phone, or ""
	phone   phone.ID    // that actions are for; "" when there is no default

	initial      bool
	cleanup      bool // fired by scenario.stopped
	final        bool // of finally
	afterFailure bool // fired by action.failed
	tolerant     bool // within an action that says on_error: continue

	parent *sequence // that waits for this one
	group  *group    // of the children that this one waits for

	next    int         // the action to begin next
	since   mark        // of the last step that did something, for wait_until
	chain   int         // user events in a row
	made    []madeCall  // by this sequence
	alarm   *alarm      // of wait and wait_until
	waiting *expected   // in wait_until
	entry   int         // where the current action is on the timeline
	at      spec.Action // the current action
	begun   time.Time   // when the current action began
	command bool        // a command is under way
	ended   bool
	failed  bool // an action failed, and so the sequence ended
	cut     bool // the end of the run ended it
}

// awaits says whether the sequence waits for something that phones do.
func (s *sequence) awaits() bool { return s.waiting != nil || s.command }

// String names the sequence and what it is doing.
func (s *sequence) String() string {
	if s.next == 0 {
		return s.where
	}
	doing := fmt.Sprintf("%s, step %d: %s", s.where, s.next, s.at.Name)
	if s.waiting != nil {
		doing += " " + s.waiting.String()
	}
	return doing
}

func (r *run) start(s *sequence) {
	r.sequences = append(r.sequences, s)
	r.advance(s)
}

// mayGoOn: when the run is ending, a sequence does not begin further steps.
func (r *run) mayGoOn(s *sequence) bool {
	switch r.phase {
	case running:
		return true
	case cleaning:
		return s.cleanup && !r.cancelled
	case finishing:
		return s.final && r.finalCtx.Err() == nil
	default:
		return false
	}
}

// advance begins steps until one takes time.
func (r *run) advance(s *sequence) {
	for s.next < len(s.actions) && !s.ended {
		if r.record.full() {
			r.overflow()
		}
		if r.record.brimful() {
			r.fault(timeline.Fault{Kind: timeline.Limit, Msg: "the timeline is full; cut off: " + s.String()})
		}
		if !r.mayGoOn(s) || r.record.brimful() {
			r.cutOff(s)
			return
		}
		s.at = s.actions[s.next]
		s.next++
		s.begun = time.Now()
		if s.initial {
			s.pattern = s.at.Pattern
		}
		if bound, goesOn := r.bind(s); !bound && goesOn {
			continue
		} else if !bound || !r.step(s) {
			return
		}
	}
	if !s.ended {
		r.finish(s)
	}
}

// bind fills in the variables of the current action. When it cannot, the
// action has failed, and goesOn says whether the sequence does so all the same.
func (r *run) bind(s *sequence) (ok, goesOn bool) {
	if !s.at.Late() {
		return true, true
	}
	bound, err := s.at.Bind(r.vars)
	if err == nil && !r.scope.covers(bound.PhoneID) {
		err = fmt.Errorf("phone %s is none of this run; list it under phones", bound.PhoneID)
	}
	if err != nil {
		r.recordAction(s, "", nil, nil)
		r.amend(s, map[string]any{"error": err.Error()})
		return false, r.failed(s, err)
	}
	s.at = bound
	return true, true
}

// step begins the current action; true means that it is over already.
func (r *run) step(s *sequence) bool {
	switch step := s.at.Step.(type) {
	case spec.Log:
		r.record.note(s, "log", map[string]any{"message": step.Message})
	case spec.Checkpoint:
		r.record.note(s, "checkpoint", map[string]any{"label": step.Label})
	case spec.CollectRecordings:
		return r.collectRecordings(s, step)
	case spec.Emit:
		return r.emit(s, step)
	case spec.Wait:
		return r.wait(s, step)
	case spec.WaitUntil:
		return r.waitUntil(s, step)
	case spec.Assert:
		return r.assert(s, step)
	case spec.Repeat:
		return r.repeat(s, step)
	case spec.Parallel:
		return r.parallel(s, step)
	default:
		return r.command(s)
	}
	return true
}

// recordAction puts the current action on the timeline.
func (r *run) recordAction(s *sequence, id phone.ID, call *phone.CallID, data map[string]any) {
	s.entry = r.record.add(s.begun, timeline.Entry{
		Kind: timeline.Action, Type: s.at.Name, PhoneID: timeline.Phone(id), CallID: call, Data: data,
		HookID: timeline.Text(s.id), PatternName: timeline.Text(s.pattern),
	})
}

// amend adds to the current action's entry what came of it.
func (r *run) amend(s *sequence, more map[string]any) {
	if s.entry < 0 {
		return
	}
	entry := &r.record.entries[s.entry]
	data := map[string]any{"elapsed_ms": timeline.Milliseconds(time.Since(s.begun))}
	for _, from := range []map[string]any{entry.Data, more} {
		for k, v := range from {
			data[k] = v
		}
	}
	entry.Data = data
}

func (r *run) wait(s *sequence, step spec.Wait) bool {
	r.recordAction(s, "", nil, map[string]any{"ms": step.For.Milliseconds()})
	if step.For == 0 {
		return true
	}
	s.alarm = r.alarms.set(s.begun.Add(step.For), func() {
		s.alarm, s.chain = nil, 0
		r.advance(s)
	})
	return false
}

func (r *run) emit(s *sequence, step spec.Emit) bool {
	if s.chain >= maxChain {
		return r.failed(s, fmt.Errorf("emit %s: %d user events have answered one another without a pause; put a wait in between", step.Name, maxChain))
	}
	id, call := r.target(s)
	r.recordAction(s, id, call, map[string]any{"name": step.Name})
	position := r.env.Feed.Position()
	r.raise(s, phone.Event{Type: "user." + step.Name, PhoneID: id, CallID: call, Data: step.Data}, s.chain+1)
	s.since = mark{index: len(r.history), position: position}
	return true
}

// failed records that the current action failed. It gives true when the
// sequence goes on all the same.
func (r *run) failed(s *sequence, err error) bool {
	id, call := r.target(s)
	tolerated := s.tolerant || s.at.ContinueOnError
	r.fault(timeline.Fault{
		Kind: timeline.ActionFailed, Msg: fmt.Sprintf("%s in %s failed: %s", s.at.Name, s.where, err),
		Action: timeline.Text(s.at.Name), PhoneID: timeline.Phone(id), CallID: call,
		HookID: timeline.Text(s.id), PatternName: timeline.Text(s.pattern), Tolerated: tolerated,
	})
	r.raise(s, phone.Event{Type: "action.failed", PhoneID: id, CallID: call, Data: map[string]any{
		"action": s.at.Name, "error": err.Error(), "step": int64(s.next),
	}}, s.chain)
	if s.at.ContinueOnError {
		return true
	}
	msg := r.record.faults[len(r.record.faults)-1].Msg
	s.failed = true
	if s.initial && !tolerated {
		r.end(timeline.Failed, msg)
	}
	r.finish(s)
	return false
}

// finish takes a sequence that is over out of the run.
func (r *run) finish(s *sequence) {
	s.ended = true
	s.waiting = nil
	r.alarms.stop(s.alarm)
	r.sequences = slices.DeleteFunc(r.sequences, func(other *sequence) bool { return other == s })
	if s.parent != nil {
		r.childEnded(s)
	}
}

// cutOff ends a sequence that the end of the run does not let finish. An assert
// that it did not come to is one that nobody has judged.
func (r *run) cutOff(s *sequence) {
	s.cut = true
	if !s.tolerant && !r.cancelled && r.verdict.status != timeline.Failed && asserts(s.actions[s.next:]) {
		r.fault(timeline.Fault{
			Kind: timeline.Unjudged, Msg: fmt.Sprintf("the run was over before an assert was judged, at %s; let the run last longer, or put the fact under expect", s),
			HookID: timeline.Text(s.id), PatternName: timeline.Text(s.pattern),
		})
	}
	if s.next < len(s.actions) || s.waiting != nil || s.alarm != nil {
		r.record.note(s, "cut_off", map[string]any{"at": s.String(), "steps_left": int64(len(s.actions) - s.next)})
	}
	r.finish(s)
}

// asserts says whether there is an assert among actions that counts.
func asserts(actions []spec.Action) bool {
	return slices.ContainsFunc(actions, func(a spec.Action) bool {
		return !a.ContinueOnError && (a.Name == "assert" || slices.ContainsFunc(a.Inner(), asserts))
	})
}

// target is the phone and call of the current action, by its own words or the
// defaults: the hook's on_phone, then the event's phone; the event's call when
// it is that phone's, else the call that this sequence made last on it.
func (r *run) target(s *sequence) (phone.ID, *phone.CallID) {
	id := s.at.PhoneID
	if id == "" {
		id = s.phone
	}
	if s.at.CallID != nil {
		return id, s.at.CallID
	}
	if s.event.CallID != nil && s.event.PhoneID == id {
		return id, s.event.CallID
	}
	return id, s.lastMade(id)
}

// lastMade is the call that the sequence made last on a phone, or nil.
func (s *sequence) lastMade(id phone.ID) *phone.CallID {
	for i := len(s.made) - 1; i >= 0; i-- {
		if s.made[i].phone == id {
			return &s.made[i].call
		}
	}
	return nil
}
