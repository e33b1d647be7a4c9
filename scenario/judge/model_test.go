package judge

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

// modelFact is an event fact as the model sees it: no spec, no judge.
type modelFact struct {
	kind, phone   string // "" is any phone
	digit         int64  // -1 is any
	within        int    // ms; 0 is no bound
	after         *modelFact
	least, atMost int // atMost -1 is no bound
}

type modelEvent struct {
	kind, phone string
	digit       int64
	at          int // ms
}

func (f modelFact) matches(e modelEvent) bool {
	return f.kind == e.kind && (f.phone == "" || f.phone == e.phone) && (f.digit < 0 || f.digit == e.digit)
}

// model says in the plainest way whether a fact holds: "yes", "no" or "unknown".
func model(f modelFact, events []modelEvent, now int) string {
	from, opened := 0, 0
	if f.after != nil {
		from = -1
		for i, e := range events {
			if f.after.matches(e) {
				from, opened = i+1, e.at
				break
			}
		}
		if from < 0 {
			if f.atMost >= 0 {
				return "unknown"
			}
			return "no"
		}
	}
	n, died := 0, false
	for i, e := range events {
		died = died || (e.kind == "phone.exited" && (f.phone == "" || f.phone == e.phone))
		if i >= from && f.matches(e) && (f.within == 0 || e.at <= opened+f.within) {
			n++
		}
	}
	switch {
	case n < f.least, f.atMost >= 0 && n > f.atMost:
		return "no"
	case f.atMost >= 0 && died && f.kind != "phone.exited":
		return "unknown"
	case f.atMost == 0 && f.within != 0 && now < opened+f.within:
		return "unknown"
	}
	return "yes"
}

// modelSeries tries every way to find events for the steps.
func modelSeries(steps []modelFact, events []modelEvent, from, last int) bool {
	if len(steps) == 0 {
		return true
	}
	for i := from; i < len(events); i++ {
		e := events[i]
		if steps[0].matches(e) && (steps[0].within == 0 || e.at <= last+steps[0].within) && modelSeries(steps[1:], events, i+1, e.at) {
			return true
		}
	}
	return false
}

func randomFact(r *rand.Rand) modelFact {
	f := modelFact{
		kind: []string{"dtmf.in", "dtmf.out", "phone.exited"}[min(r.IntN(7)/3, 2)], phone: []string{"", "a", "b"}[r.IntN(3)],
		digit: int64(r.IntN(4)) - 1, atMost: -1, least: 1,
	}
	if r.IntN(3) == 0 {
		f.within = 1 + r.IntN(60)
	}
	switch r.IntN(4) {
	case 0:
		f.least, f.atMost = 0, 0
	case 1:
		f.least = r.IntN(3)
		f.atMost = f.least + r.IntN(3)
	}
	return f
}

func (f modelFact) spec() spec.EventFact {
	e := spec.EventFact{Events: []spec.EventPattern{spec.EventPattern(f.kind)}, Within: time.Duration(f.within) * time.Millisecond}
	if f.phone != "" {
		e.Phones = []phone.ID{phone.ID(f.phone)}
	}
	if f.digit >= 0 {
		e.Match = spec.Match{{Path: "digit", Want: spec.Want{Equal: f.digit}}}
	}
	if f.after != nil {
		after := f.after.spec()
		e.After = &after
	}
	least := float64(f.least)
	e.Count.Min = &least
	if f.atMost >= 0 {
		most := float64(f.atMost)
		e.Count.Max = &most
	}
	return e
}

// Whatever the facts and the events are, the finding is the model's.
func TestFindingsAgreeWithTheModel(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 7))
		events := make([]modelEvent, r.IntN(9))
		at, ev := 0, Evidence{Began: began, Over: true}
		for i := range events {
			at += r.IntN(20)
			kind := []string{"dtmf.in", "dtmf.in", "dtmf.out", "dtmf.out", "dtmf.out", "phone.exited"}[r.IntN(6)]
			events[i] = modelEvent{kind: kind, phone: []string{"a", "b"}[r.IntN(2)], digit: int64(r.IntN(3)), at: at}
			ev.Events = append(ev.Events, phone.Event{
				Type: kind, PhoneID: phone.ID(events[i].phone), Time: began.Add(time.Duration(at) * time.Millisecond), Data: map[string]any{"digit": events[i].digit},
			})
		}
		now := at + r.IntN(30)
		ev.Now = began.Add(time.Duration(now) * time.Millisecond)

		f := randomFact(r)
		if r.IntN(3) == 0 {
			after := randomFact(r)
			after.after, after.within = nil, 0
			f.after = &after
		}
		e := f.spec()
		found := ev.Fact(spec.Fact{Event: &e})
		want := model(f, events, now)
		if got := answer(found); got != want {
			t.Fatalf("seed %d: %s, want %s\nfact %s\nevents %+v, now %d\n%s", seed, got, want, describe(e), events, now, found.Msg)
		}
		seen["fact "+want]++

		steps, series := make([]modelFact, 2+r.IntN(3)), []spec.EventFact{}
		for i := range steps {
			steps[i] = randomFact(r)
			series = append(series, steps[i].spec())
		}
		found = ev.Fact(spec.Fact{InOrder: series})
		if held := modelSeries(steps, events, 0, 0); found.Held != held {
			t.Fatalf("seed %d: %+v, want %v\nseries %s\nevents %+v", seed, found, held, Describe(spec.Fact{InOrder: series}), events)
		}
		seen[fmt.Sprintf("series %v", found.Held)]++
	}
	for _, kind := range []string{"fact yes", "fact no", "fact unknown", "series true", "series false"} {
		if seen[kind] < 200 {
			t.Errorf("only %d cases of %s: the test says little", seen[kind], kind)
		}
	}
}

func answer(f Finding) string {
	switch {
	case f.Held:
		return "yes"
	case !f.Judged:
		return "unknown"
	default:
		return "no"
	}
}
