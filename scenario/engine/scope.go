package engine

import (
	"slices"
	"strings"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

// scope says which events a run sees: those of the phones that the scenario
// lists or names anywhere, so that runs on different phones do not disturb
// each other. A scenario that lists no phones, and has a hook, a stop or a
// wait_until that is bound to none, sees every phone.
type scope struct {
	named []phone.ID // without doubles, in the order of the scenario
	all   bool
	added []phone.ID // by the run itself: they need not be there when it begins
	// traces are the patterns that name sip.* or media.* events.
	traces []spec.EventPattern
	full   bool
	// deaths says that the scenario speaks of the deaths of workers: it names
	// the events of them, or kills workers.
	deaths bool
}

func scopeOf(s spec.Scenario) scope {
	sc := scope{full: s.FullTimeline}
	sc.name(s.Phones...)
	unbound := sc.actions(s.Initial, false)
	unbound = sc.actions(s.Finally, false) || unbound
	unbound = sc.facts(s.Expect) || unbound
	for _, h := range s.Hooks {
		sc.name(h.Phones...)
		sc.watch(h.When)
		anyPhone := sc.actions(h.Then, true)
		unbound = unbound || anyPhone || len(h.Phones) == 0
	}
	for _, stop := range slices.Concat(s.StopOn, s.StopOnAll) {
		sc.name(stop.Phones...)
		sc.watch(stop.Events)
		unbound = unbound || len(stop.Phones) == 0
	}
	sc.all = len(s.Phones) == 0 && unbound
	return sc
}

func (sc *scope) name(ids ...phone.ID) {
	for _, id := range ids {
		if id != "" && !slices.Contains(sc.named, id) {
			sc.named = append(sc.named, id)
		}
	}
}

// actions takes in what actions name, and says whether one of them waits for
// any phone. In a hook, a wait without phones is bound to the hook's.
func (sc *scope) actions(actions []spec.Action, inHook bool) (anyPhone bool) {
	for _, a := range actions {
		sc.name(a.PhoneID)
		sc.deaths = sc.deaths || a.Name == "kill_worker"
		switch step := a.Step.(type) {
		case spec.WaitUntil:
			sc.name(step.Phones...)
			sc.watch(step.Events)
			sc.watch(step.Unless)
			anyPhone = anyPhone || step.AnyPhone || (!inHook && len(step.Phones) == 0)
		case spec.CollectRecordings:
			sc.name(step.Phones...)
		case spec.AddPhone:
			sc.added = append(sc.added, a.PhoneID)
		case spec.Assert:
			anyPhone = sc.facts(step.Facts) || anyPhone
		case spec.Repeat:
			if step.Until != nil {
				anyPhone = sc.event(*step.Until) || anyPhone
			}
		}
		for _, inner := range a.Inner() {
			anyPhone = sc.actions(inner, inHook) || anyPhone
		}
	}
	return anyPhone
}

// facts takes in what facts name, and says whether one of them is about any
// phone.
func (sc *scope) facts(facts []spec.Fact) (anyPhone bool) {
	for _, f := range facts {
		if f.Event != nil {
			anyPhone = sc.event(*f.Event) || anyPhone
		}
		for _, e := range f.InOrder {
			anyPhone = sc.event(e) || anyPhone
		}
		if f.Call != nil {
			for _, whose := range f.Call.Calls() {
				sc.name(whose.PhoneID)
			}
		}
	}
	return anyPhone
}

func (sc *scope) event(e spec.EventFact) (anyPhone bool) {
	sc.name(e.Phones...)
	sc.watch(e.Events)
	if e.After != nil {
		anyPhone = sc.event(*e.After)
	}
	return anyPhone || len(e.Phones) == 0
}

func (sc *scope) watch(patterns []spec.EventPattern) {
	for _, p := range patterns {
		sc.deaths = sc.deaths || p != spec.EveryEvent && (p.Matches("phone.exited") || p.Matches("phone.restarted") || p.Matches("phone.failed"))
		if p != spec.EveryEvent && spec.IsTrace(string(p)) {
			sc.traces = append(sc.traces, p)
		}
	}
}

func (sc *scope) wantsTraces() bool { return sc.full || len(sc.traces) > 0 }

// sees says whether an event of a phone belongs to the run.
func (sc *scope) sees(e phone.Event) bool {
	if !spec.OfPhone(e.Type) || strings.HasPrefix(e.Type, "dialog.") {
		return false // another run's own; the server's book-keeping
	}
	if spec.IsTrace(e.Type) && !sc.full && !spec.AnyMatches(sc.traces, e.Type) {
		return false
	}
	return sc.covers(e.PhoneID)
}

// covers says whether the phone belongs to the run.
func (sc *scope) covers(id phone.ID) bool {
	return sc.all || id == "" || slices.Contains(sc.named, id)
}
