package judge

import (
	"fmt"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

// event judges how often an event came within its window.
func (ev Evidence) event(f spec.EventFact) Finding {
	first, opened := 0, ev.Began
	if f.After != nil {
		at, found := ev.find(*f.After, 0)
		if !found {
			msg := fmt.Sprintf("expected %s, but %s, after which it is counted, never came%s", describe(f), pattern(*f.After), ev.nearest(*f.After))
			return Finding{Judged: !atMost(f), Open: true, Msg: msg}
		}
		first, opened = at+1, ev.Events[at].Time
	}
	var came []phone.Event
	for _, e := range ev.Events[first:] {
		if ev.matches(f, e) && (f.Within == 0 || !e.Time.After(opened.Add(f.Within))) {
			came = append(came, e)
		}
	}
	open := f.Within == 0 || ev.Now.Before(opened.Add(f.Within))
	if n := float64(len(came)); !f.Count.Holds(n) {
		few := f.Count.Min != nil && n < *f.Count.Min
		return Finding{Judged: true, Open: few && open, Msg: ev.wrongNumber(f, came, few)}
	}
	if why := ev.unwatched(f, open, opened); why != "" {
		return Finding{Open: open, Msg: fmt.Sprintf("expected %s, which cannot be judged: %s", describe(f), why)}
	}
	return Finding{Held: true, Judged: true, Msg: ev.counted(came)}
}

// atMost says whether too many events would break the fact.
func atMost(f spec.EventFact) bool { return f.Count.Max != nil }

// unwatched says why nobody knows that an event did not come.
func (ev Evidence) unwatched(f spec.EventFact, open bool, opened time.Time) string {
	if !atMost(f) {
		return ""
	}
	if !f.Call.IsZero() {
		if call, why := ev.callOf(f.Phones, f.Call); call == nil {
			return fmt.Sprintf("there is no %s (%s)", f.Call, why)
		}
	}
	if id, at, died := ev.diedAt(f.Phones); died && fromWorkers(f.Events) {
		return fmt.Sprintf("the worker of %s ended at %s, and what it did just before is not known; name in phone_id the phones that stay alive", id, ev.offset(at))
	}
	if ev.Over && open && f.Within != 0 && *f.Count.Max == 0 {
		return fmt.Sprintf("the run was over after %s of the %s in which it must not come; let the run last longer", ev.Now.Sub(opened).Round(time.Millisecond), f.Within)
	}
	return ""
}

// wrongNumber says what came in place of what was expected.
func (ev Evidence) wrongNumber(f spec.EventFact, came []phone.Event, few bool) string {
	switch {
	case !few:
		return fmt.Sprintf("expected %s; it came %s", describe(f), ev.counted(came))
	case len(came) > 0:
		return fmt.Sprintf("expected %s; it came only %s%s", describe(f), ev.counted(came), ev.lastWord(f))
	default:
		return fmt.Sprintf("expected %s%s", describe(f), ev.miss(f))
	}
}

// counted tells when events came.
func (ev Evidence) counted(came []phone.Event) string {
	switch n := len(came); n {
	case 0:
		return "never came"
	case 1:
		return "once, at " + ev.offset(came[0].Time)
	case 2, 3:
		s := fmt.Sprintf("%d times, at %s", n, ev.offset(came[0].Time))
		for _, e := range came[1:] {
			s += ", " + ev.offset(e.Time)
		}
		return s
	default:
		return fmt.Sprintf("%d times, from %s to %s", n, ev.offset(came[0].Time), ev.offset(came[n-1].Time))
	}
}

// find gives the first event from a place on that a fact's pattern matches.
func (ev Evidence) find(f spec.EventFact, from int) (int, bool) {
	for i := from; i < len(ev.Events); i++ {
		if ev.matches(f, ev.Events[i]) {
			return i, true
		}
	}
	return 0, false
}

// matches says whether an event is one that the fact speaks of, whenever it
// came.
func (ev Evidence) matches(f spec.EventFact, e phone.Event) bool {
	return len(ev.differences(f, e)) == 0
}
