package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

var modelTypes = []string{"call.state.confirmed", "call.state.disconnected", "dtmf.in", "dtmf.out"}

type modelEvent struct {
	phone, kind string
	digit       int64
}

// modelHook is a hook as the model sees it: no engine, no spec.
type modelHook struct {
	when, phone string
	digit       int64 // -1 is any
	once        bool
	emits       bool
}

func (h modelHook) matches(e modelEvent) bool {
	family, wild := strings.CutSuffix(h.when, "*")
	return (h.when == e.kind || wild && strings.HasPrefix(e.kind, family)) &&
		(h.phone == "" || h.phone == e.phone) && (h.digit < 0 || h.digit == e.digit)
}

// model says in the plainest way what a run does: every event, in order,
// fires every armed hook that matches, in order; then stops are looked at. One
// is a stop_on, more are a stop_on_all. seen is how many events came until then.
func model(hooks, stops []modelHook, events []modelEvent) (log, commands []string, seen int) {
	spent := make([]bool, len(hooks))
	came := map[int]bool{}
	for i, e := range events {
		raised := 0
		for k, h := range hooks {
			if spent[k] || !h.matches(e) {
				continue
			}
			spent[k] = h.once
			log = append(log, fmt.Sprintf("h%d", k))
			if h.emits {
				raised++
			}
			commands = append(commands, fmt.Sprintf("%s SendDTMF %d call=%d", e.phone, k, i))
		}
		for range raised {
			log = append(log, "raised")
		}
		for k, stop := range stops {
			if stop.matches(e) {
				came[k] = true
			}
		}
		if len(came) == len(stops) {
			return log, commands, i + 1
		}
	}
	return log, commands, len(events)
}

func randomHook(r *rand.Rand) modelHook {
	kinds := append([]string{"call.*", "call.state.*", "dtmf.*"}, modelTypes...)
	return modelHook{
		when: kinds[r.IntN(len(kinds))], phone: []string{"", "a", "b"}[r.IntN(3)],
		digit: int64(r.IntN(4)) - 1, once: r.IntN(2) == 0, emits: r.IntN(3) == 0,
	}
}

// scenarioOf writes the hooks and the stops for the engine.
func scenarioOf(hooks, stops []modelHook) spec.Scenario {
	phones := func(id string) []phone.ID {
		if id == "" {
			return nil
		}
		return []phone.ID{phone.ID(id)}
	}
	match := func(h modelHook) spec.Match {
		if h.digit < 0 {
			return nil
		}
		return spec.Match{{Path: "digit", Want: spec.Want{Equal: h.digit}}}
	}
	s := spec.Scenario{Phones: []phone.ID{"a", "b"}, Timeout: time.Second}
	for k, h := range hooks {
		then := []spec.Action{{Name: "log", Step: spec.Log{Message: fmt.Sprintf("h%d", k)}}}
		if h.emits {
			then = append(then, spec.Action{Name: "emit", Step: spec.Emit{Name: "raised"}})
		}
		then = append(then, spec.Action{Name: "send_dtmf", Step: spec.SendDTMF{Digits: fmt.Sprint(k)}})
		s.Hooks = append(s.Hooks, spec.Hook{
			ID: fmt.Sprint(k), When: []spec.EventPattern{spec.EventPattern(h.when)}, Phones: phones(h.phone), Match: match(h), Once: h.once, Then: then,
		})
	}
	s.Hooks = append(s.Hooks, spec.Hook{ID: "raised", When: []spec.EventPattern{"user.raised"}, Once: false, Then: []spec.Action{{Name: "log", Step: spec.Log{Message: "raised"}}}})
	for _, stop := range stops {
		s.StopOnAll = append(s.StopOnAll, spec.Stop{Events: []spec.EventPattern{spec.EventPattern(stop.when)}, Phones: phones(stop.phone), Match: match(stop), Path: "a stop"})
	}
	if len(stops) == 1 {
		s.StopOn, s.StopOnAll = s.StopOnAll, nil
	}
	return s
}

// Whatever the hooks and the events are, and however the events come in
// batches, the run does what the model says, in its order; and what is expected
// holds when, and only when, it was there to be seen.
func TestRunAgreesWithTheModel(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		hooks := make([]modelHook, 1+r.IntN(8))
		for k := range hooks {
			hooks[k] = randomHook(r)
		}
		stops := make([]modelHook, 1+r.IntN(3)/2)
		for k := range stops {
			stops[k] = randomHook(r)
		}
		events := make([]modelEvent, r.IntN(30))
		for i := range events {
			events[i] = modelEvent{phone: []string{"a", "b"}[r.IntN(2)], kind: modelTypes[r.IntN(len(modelTypes))], digit: int64(r.IntN(3))}
		}
		wantLog, wantCommands, seen := model(hooks, stops, events)
		s := scenarioOf(hooks, stops)
		wantHeld := expectOf(&s, randomHook(r), events, seen)
		gotLog, gotCommands, gotHeld := runModel(t, s, events, r)
		if fmt.Sprint(gotLog, gotCommands, gotHeld) != fmt.Sprint(wantLog, wantCommands, wantHeld) {
			t.Fatalf("seed %d\nhooks %+v\nstops %+v\nevents %+v\n log %v\nwant %v\n did %v\nwant %v\nheld %v\nwant %v", seed, hooks, stops, events, gotLog, wantLog, gotCommands, wantCommands, gotHeld, wantHeld)
		}
	}
}

// expectOf expects of a kind of event as many as there were until the run was
// stopped, and one more than there are at all; it says which of these hold.
func expectOf(s *spec.Scenario, of modelHook, events []modelEvent, seen int) (held []bool) {
	until, all := 0, 0
	for i, e := range events {
		if of.matches(e) {
			all++
			if i < seen {
				until++
			}
		}
	}
	for _, least := range []int{until, all + 1} {
		like := scenarioOf(nil, []modelHook{of}).StopOn[0]
		s.Expect = append(s.Expect, spec.Fact{Path: "a fact", Event: &spec.EventFact{Events: like.Events, Phones: like.Phones, Match: like.Match, Count: spec.AtLeast(float64(least))}})
		held = append(held, least <= all)
	}
	return held
}

func runModel(t *testing.T, s spec.Scenario, events []modelEvent, r *rand.Rand) (log, commands []string, held []bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.registered = map[phone.ID]bool{"a": false, "b": false}
		happen := func(i int) {
			w.happens(phone.ID(events[i].phone), events[i].kind, int64(i), "digit", events[i].digit)
		}
		for i := 0; i < len(events); {
			first, after := i, min(len(events), i+1+r.IntN(6)) // a burst
			w.at(time.Duration(i+1)*ms, func() {
				for k := first; k < after; k++ {
					happen(k)
				}
			})
			i = after
		}
		result := Run(t.Context(), s, Env{Phones: w, Feed: w})
		for _, e := range result.Timeline {
			if e.Type == "log" {
				log = append(log, e.Data["message"].(string))
			}
		}
		for _, e := range result.Expectations {
			held = append(held, e.Held)
		}
		for _, d := range w.did {
			_, words, _ := strings.Cut(d, " ")
			commands = append(commands, words)
		}
	})
	return log, commands, held
}
