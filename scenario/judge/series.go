package judge

import (
	"fmt"

	"ringmaster/scenario/spec"
)

// series judges whether events came in order: whether there is one event for
// each step, later than that of the step before and within its time.
func (ev Evidence) series(steps []spec.EventFact) Finding {
	// reached are the events at which the steps so far can have ended.
	var reached []int
	for k, step := range steps {
		var next []int
		for i, e := range ev.Events {
			if !ev.matches(step, e) || (k > 0 && !ev.follows(reached, i, step)) || (k == 0 && step.Within != 0 && e.Time.After(ev.Began.Add(step.Within))) {
				continue
			}
			next = append(next, i)
		}
		if len(next) == 0 {
			return Finding{Judged: true, Open: true, Msg: ev.brokenAt(steps, k, reached)}
		}
		reached = next
	}
	return Finding{Held: true, Judged: true, Msg: fmt.Sprintf("came in order, the last at %s", ev.offset(ev.Events[reached[0]].Time))}
}

// follows says whether event i comes after one of those of the step before,
// and within its time.
func (ev Evidence) follows(before []int, i int, step spec.EventFact) bool {
	for _, j := range before {
		if j < i && (step.Within == 0 || !ev.Events[i].Time.After(ev.Events[j].Time.Add(step.Within))) {
			return true
		}
	}
	return false
}

// brokenAt says at which step the order broke, and why.
func (ev Evidence) brokenAt(steps []spec.EventFact, k int, reached []int) string {
	step := steps[k]
	msg := fmt.Sprintf("expected in order, as number %d, %s", k+1, describe(step))
	if k == 0 {
		return msg + ev.miss(step)
	}
	msg += fmt.Sprintf(" after %s at %s", pattern(steps[k-1]), ev.offset(ev.Events[reached[0]].Time))
	for i := range ev.Events {
		if !ev.matches(step, ev.Events[i]) {
			continue
		}
		if i > reached[0] {
			return msg + fmt.Sprintf("; it came too late, at %s", ev.offset(ev.Events[i].Time))
		}
		if _, again := ev.find(step, i+1); i == reached[0] && !again {
			return msg + "; it came that one time only"
		}
		return msg + fmt.Sprintf("; it came before that, at %s", ev.offset(ev.Events[i].Time))
	}
	return msg + ev.miss(step)
}
