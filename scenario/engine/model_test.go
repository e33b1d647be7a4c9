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
// fires every armed hook that matches, in order; then stops are looked at.
func model(hooks []modelHook, stop modelHook, events []modelEvent) (log, commands []string) {
	spent := make([]bool, len(hooks))
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
		if stop.matches(e) {
			break
		}
	}
	return log, commands
}

func randomHook(r *rand.Rand) modelHook {
	kinds := append([]string{"call.*", "call.state.*", "dtmf.*"}, modelTypes...)
	return modelHook{
		when: kinds[r.IntN(len(kinds))], phone: []string{"", "a", "b"}[r.IntN(3)],
		digit: int64(r.IntN(4)) - 1, once: r.IntN(2) == 0, emits: r.IntN(3) == 0,
	}
}

// scenarioOf writes the hooks and the stop for the engine.
func scenarioOf(hooks []modelHook, stop modelHook) spec.Scenario {
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
	s.StopOn = []spec.Stop{{Events: []spec.EventPattern{spec.EventPattern(stop.when)}, Phones: phones(stop.phone), Match: match(stop), Path: "stop_on[0]"}}
	return s
}

// Whatever the hooks and the events are, and however the events come in
// batches, the run does what the model says, in its order.
func TestRunAgreesWithTheModel(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		hooks := make([]modelHook, 1+r.IntN(8))
		for k := range hooks {
			hooks[k] = randomHook(r)
		}
		stop := randomHook(r)
		events := make([]modelEvent, r.IntN(30))
		for i := range events {
			events[i] = modelEvent{phone: []string{"a", "b"}[r.IntN(2)], kind: modelTypes[r.IntN(len(modelTypes))], digit: int64(r.IntN(3))}
		}
		wantLog, wantCommands := model(hooks, stop, events)
		gotLog, gotCommands := runModel(t, scenarioOf(hooks, stop), events, r)
		if fmt.Sprint(gotLog) != fmt.Sprint(wantLog) || fmt.Sprint(gotCommands) != fmt.Sprint(wantCommands) {
			t.Fatalf("seed %d\nhooks %+v\nstop %+v\nevents %+v\n log %v\nwant %v\n did %v\nwant %v", seed, hooks, stop, events, gotLog, wantLog, gotCommands, wantCommands)
		}
	}
}

func runModel(t *testing.T, s spec.Scenario, events []modelEvent, r *rand.Rand) (log, commands []string) {
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
		for _, d := range w.did {
			_, words, _ := strings.Cut(d, " ")
			commands = append(commands, words)
		}
	})
	return log, commands
}
