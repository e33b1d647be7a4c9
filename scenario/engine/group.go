package engine

import (
	"context"
	"fmt"

	"ringmaster/proto/phone"
	"ringmaster/scenario/judge"
	"ringmaster/scenario/spec"
)

// group is what a sequence waits for in repeat and parallel: the sequences
// within, each a child of it.
type group struct {
	open     int  // children that have not ended
	starting bool // the parent starts children now and looks at them itself
	failed   bool // one of them has failed
	cut      bool // one of them was cut off by the end of the run
	began    mark
	round    int  // of repeat: the rounds begun,
	looked   int  // those after which until was looked for,
	met      bool // and whether it has come
}

// child makes a sequence within another: it is about the same event, phone and
// calls.
func (s *sequence) child(where string, actions []spec.Action) *sequence {
	return &sequence{
		id: s.id, where: fmt.Sprintf("%s, step %d: %s", s.where, s.next, where), pattern: s.pattern, actions: actions, event: s.event,
		onPhone: s.onPhone, phone: s.phone, initial: s.initial, cleanup: s.cleanup, final: s.final, afterFailure: s.afterFailure,
		tolerant: s.tolerant || s.at.ContinueOnError, since: s.since, chain: s.chain,
		made: s.made[:len(s.made):len(s.made)], parent: s,
	}
}

func (r *run) repeat(s *sequence, step spec.Repeat) bool {
	r.recordAction(s, "", nil, map[string]any{"count": int64(step.Count)})
	s.group = &group{began: mark{index: len(r.history), position: r.env.Feed.Position()}}
	return r.rounds(s, step)
}

// rounds goes on with repeat; true means that it is over.
func (r *run) rounds(s *sequence, step spec.Repeat) bool {
	g := s.group
	for !g.failed && !g.cut && !g.met {
		if step.Until != nil && g.looked < g.round {
			r.lookForUntil(s, step)
			return false
		}
		if g.round == step.Count {
			break
		}
		g.round++
		child := s.child(fmt.Sprintf("repeat, round %d", g.round), step.Actions)
		g.open, g.starting = 1, true
		r.start(child)
		g.starting = false
		if g.open > 0 {
			return false
		}
	}
	if step.Until != nil && !g.failed && !g.cut && !g.met {
		s.group = nil
		return r.failed(s, fmt.Errorf("%d rounds and no %s", g.round, judge.Describe(spec.Fact{Event: step.Until})))
	}
	return r.regrouped(s, map[string]any{"rounds": int64(g.round)})
}

// lookForUntil looks in a turn of the loop of its own: what is in the journal
// by then counts.
func (r *run) lookForUntil(s *sequence, step spec.Repeat) {
	s.command = true
	nothing := func(context.Context) Answer {
		return func() (phone.Outcome, error) { return phone.Outcome{}, nil }
	}
	r.launch(r.contextOf(s), nothing, func(phone.Outcome, error) {
		r.catchUp()
		s.command = false
		s.group.looked, s.group.met = s.group.round, r.until(s, step)
		if !r.mayGoOn(s) {
			r.cutOff(s)
		} else if r.rounds(s, step) {
			r.advance(s)
		}
	})
}

// until says whether what a repeat goes on for has come since it began.
func (r *run) until(s *sequence, step spec.Repeat) bool {
	ev := r.evidence()
	ev.Events = nil
	for _, h := range r.history[min(s.group.began.index, len(r.history)):] {
		if !s.group.began.before(h) {
			ev.Events = judge.Insert(ev.Events, h.event)
		}
	}
	return ev.Fact(spec.Fact{Event: step.Until}).Held
}

func (r *run) parallel(s *sequence, step spec.Parallel) bool {
	r.recordAction(s, "", nil, map[string]any{"branches": int64(len(step.Branches))})
	g := &group{open: len(step.Branches), starting: true}
	s.group = g
	for i, branch := range step.Branches {
		r.start(s.child(fmt.Sprintf("parallel, branch %d", i+1), branch))
	}
	g.starting = false
	if g.open > 0 {
		return false
	}
	return r.regrouped(s, nil)
}

// childEnded tells the parent of a sequence that it is over.
func (r *run) childEnded(child *sequence) {
	s, g := child.parent, child.parent.group
	g.open--
	g.failed = g.failed || child.failed
	g.cut = g.cut || child.cut
	s.made = append(s.made, child.made[min(len(s.made), len(child.made)):]...)
	if _, ok := s.at.Step.(spec.Repeat); ok {
		s.since, s.chain = child.since, child.chain
	}
	if g.starting || g.open > 0 {
		return
	}
	var over bool
	if step, ok := s.at.Step.(spec.Repeat); ok {
		over = r.rounds(s, step)
	} else {
		over = r.regrouped(s, nil)
	}
	if over {
		r.advance(s)
	}
}

// regrouped ends repeat or parallel; true means that the sequence goes on. A
// failure within was recorded where it happened.
func (r *run) regrouped(s *sequence, more map[string]any) bool {
	g := s.group
	s.group = nil
	if g.failed {
		if more == nil {
			more = map[string]any{}
		}
		more["error"] = "a step within failed"
	}
	r.amend(s, more)
	switch {
	case g.cut:
		r.cutOff(s)
		return false
	case g.failed && !s.at.ContinueOnError:
		s.failed = true
		r.finish(s)
		return false
	}
	return true
}

// capture takes fields of an event into variables.
func (r *run) capture(s *sequence, list []spec.Capture, e phone.Event) error {
	for _, c := range list {
		v, ok := spec.Lookup(e, c.Path)
		if !ok {
			return fmt.Errorf("nothing to capture as %s: %s has no %s", c.Name, e.Type, c.Path)
		}
		r.set(s, c.Name, v)
	}
	return nil
}

// set gives a variable a value, and says so on the timeline.
func (r *run) set(s *sequence, name string, value any) {
	r.vars[name] = value
	r.record.note(s, "captured", map[string]any{"name": name, "value": value})
}
