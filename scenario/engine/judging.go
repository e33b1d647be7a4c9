package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/judge"
	"ringmaster/scenario/spec"
	"ringmaster/scenario/timeline"
)

// judgement is how far the judging of the expectations has come. It goes in
// rounds: the phones are asked about the calls, then every fact is judged.
// What does not hold and may still come true is judged again when something
// has happened, and for the last time at the deadline.
type judgement struct {
	deadline time.Time
	asking   bool // a round is under way
	dirty    bool // something has happened since it began
	done     bool
	told     []timeline.Expectation
}

// evidence is what the run has seen so far.
func (r *run) evidence() judge.Evidence {
	return judge.Evidence{Events: r.events, Began: r.record.began, Now: time.Now(), Calls: r.calls.began}
}

// bound fills in the variables of a fact. What the run does not see it cannot
// judge.
func (r *run) bound(f spec.Fact) (spec.Fact, error) {
	if !f.Late() {
		return f, nil
	}
	f, err := f.Bind(r.vars)
	if err != nil {
		return f, err
	}
	var named scope
	named.facts([]spec.Fact{f})
	for _, id := range named.named {
		if !r.scope.covers(id) {
			return f, fmt.Errorf("phone %s is none of this run; list it under phones", id)
		}
	}
	for _, p := range named.traces {
		if !r.scope.full && !slices.Contains(r.scope.traces, p) {
			return f, fmt.Errorf("%s was not watched: name it without a variable, or set timeline: full", p)
		}
	}
	return f, nil
}

// ask asks phones about their calls, side by side, and puts what they say
// into known.
func (r *run) ask(queries []judge.Query, known map[judge.Query]judge.Answer) deed {
	phones := r.env.Phones
	return func(ctx context.Context) Answer {
		answers := make([]Answer, len(queries))
		for i, q := range queries {
			answers[i] = phones.Begin(ctx, q.PhoneID, phone.GetCall{CallID: &q.CallID})
		}
		return func() (phone.Outcome, error) {
			said := make([]judge.Answer, len(queries))
			var all sync.WaitGroup
			for i := range queries {
				all.Go(func() { said[i] = heard(answers[i]()) })
			}
			all.Wait()
			for i, q := range queries {
				known[q] = said[i]
			}
			return phone.Outcome{}, nil
		}
	}
}

func heard(out phone.Outcome, err error) judge.Answer {
	switch {
	case err != nil:
		return judge.Answer{Err: err}
	case len(out.Calls) == 0:
		return judge.Answer{Err: errors.New("the phone said nothing of it")}
	}
	return judge.Answer{Data: judge.CallData(out.Calls[0])}
}

// questions lists what has to be asked before the facts can be judged.
func questions(ev judge.Evidence, facts []spec.Fact) []judge.Query {
	var list []judge.Query
	for _, f := range facts {
		for _, q := range ev.Needs(f) {
			if !slices.Contains(list, q) {
				list = append(list, q)
			}
		}
	}
	return list
}

// assert holds facts against what is known now. Nothing is waited for.
func (r *run) assert(s *sequence, step spec.Assert) bool {
	facts := make([]spec.Fact, len(step.Facts))
	words := make([]any, len(step.Facts))
	var faults []string
	for i, f := range step.Facts {
		f, err := r.bound(f)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s: %s", f.Path, err))
		}
		facts[i] = s.own(f)
		words[i] = judge.Describe(facts[i])
	}
	r.recordAction(s, "", nil, map[string]any{"facts": words})
	if len(faults) > 0 {
		return r.asserted(s, faults)
	}
	known := map[judge.Query]judge.Answer{}
	s.command = true
	ctx := r.contextOf(s)
	// Also where no phone is asked the facts are judged in a turn of the loop of
	// its own: what is in the journal by then counts, and the hooks of the event
	// that is looked at now come first.
	r.launch(ctx, r.ask(questions(r.evidence(), facts), known), func(phone.Outcome, error) {
		r.catchUp()
		s.command = false
		if r.phase != running && ctx.Err() != nil {
			s.next-- // it was not judged
			r.cutOff(s)
		} else if r.asserted(s, r.untrue(facts, known)) {
			r.advance(s)
		}
	})
	return false
}

// own fills in the phone and the call of a sequence where a call's fact names
// none.
func (s *sequence) own(f spec.Fact) spec.Fact {
	if f.Call == nil {
		return f
	}
	call := *f.Call
	if call.Whose.PhoneID == "" {
		call.Whose.PhoneID = s.phone
	}
	if call.Whose.Call.IsZero() {
		if s.event.CallID != nil && s.event.PhoneID == call.Whose.PhoneID {
			call.Whose.Call.ID = s.event.CallID
		} else {
			call.Whose.Call.ID = s.lastMade(call.Whose.PhoneID)
		}
	}
	f.Call = &call
	return f
}

// untrue says of each fact that does not hold why not.
func (r *run) untrue(facts []spec.Fact, known map[judge.Query]judge.Answer) []string {
	ev := r.evidence()
	ev.Known = known
	var list []string
	for _, f := range facts {
		if found := ev.Fact(f); !found.Held {
			list = append(list, found.Msg)
		}
	}
	return list
}

func (r *run) asserted(s *sequence, faults []string) bool {
	if len(faults) > 0 {
		err := errors.New(strings.Join(faults, "; "))
		r.amend(s, map[string]any{"error": err.Error()})
		return r.failed(s, err)
	}
	r.amend(s, nil)
	return true
}

// judge begins to judge the expectations of a run that is decided. After a
// stop, what is expected may still come for a while.
func (r *run) judge() {
	r.phase = judging
	r.giveUp()
	j := &r.judgement
	j.deadline = r.decided
	if r.verdict.status == timeline.OK && len(r.scenario.StopOn)+len(r.scenario.StopOnAll) > 0 {
		j.deadline = r.decided.Add(r.scenario.Settle)
	}
	ctx, cancel := context.WithDeadline(r.ctx, time.Now().Add(judgeTime+max(0, time.Until(j.deadline))))
	r.commandCtx, r.giveUp = ctx, cancel
	r.alarms.set(j.deadline, r.reconsider)
	if told := r.decided.Add(underWayTime); told.Before(j.deadline) {
		r.alarms.set(told, r.reconsider)
	}
	r.reconsider()
}

// reconsider begins a round of judging, or another one after that which is
// under way.
func (r *run) reconsider() {
	j := &r.judgement
	if r.phase != judging || j.done {
		return
	}
	if j.asking {
		j.dirty = true
		return
	}
	j.asking, j.dirty = true, false
	facts := make([]spec.Fact, len(r.scenario.Expect))
	errs := make([]error, len(facts))
	for i, f := range r.scenario.Expect {
		facts[i], errs[i] = r.bound(f)
	}
	known := map[judge.Query]judge.Answer{}
	r.launch(r.commandCtx, r.ask(questions(r.evidence(), facts), known), func(phone.Outcome, error) {
		r.catchUp()
		j.asking = false
		r.conclude(facts, errs, known)
	})
}

// conclude judges every expectation, and ends the judging unless something may
// still come true.
func (r *run) conclude(facts []spec.Fact, errs []error, known map[judge.Query]judge.Answer) {
	j := &r.judgement
	if r.cancelled {
		j.done = true
		return
	}
	ev := r.evidence()
	ev.Known, ev.Over = known, true
	findings := make([]judge.Finding, len(facts))
	open, limited := false, false
	for i, f := range facts {
		if errs[i] != nil {
			findings[i] = judge.Finding{Msg: errs[i].Error()}
			continue
		}
		findings[i] = ev.Fact(f)
		open = open || (!findings[i].Held && findings[i].Open)
		limited = limited || (findings[i].Held && f.Event != nil && f.Event.Count.Max != nil)
	}
	// What must not come may have come before the stop and be on its way here.
	told := !limited || !ev.Now.Before(r.decided.Add(underWayTime))
	if (open || !told) && ev.Now.Before(j.deadline) {
		if j.dirty {
			r.reconsider()
		}
		return
	}
	j.done = true
	for i, found := range findings {
		r.tell(facts[i], found)
	}
}

// tell records how an expectation stood.
func (r *run) tell(f spec.Fact, found judge.Finding) {
	told := timeline.Expectation{Path: f.Path, Fact: f.Path, Held: found.Held, Msg: found.Msg}
	if f.Event != nil || f.InOrder != nil || f.Call != nil {
		told.Fact = judge.Describe(f)
	}
	r.judgement.told = append(r.judgement.told, told)
	kind := "expectation.held"
	if !found.Held {
		kind = "expectation.failed"
		fault := timeline.Fault{Kind: timeline.Unmet, Msg: f.Path + ": " + found.Msg}
		if !found.Judged {
			fault.Kind = timeline.Unjudged
		}
		r.fault(fault)
	}
	r.record.note(nil, kind, map[string]any{"path": told.Path, "fact": told.Fact, "msg": told.Msg})
}
