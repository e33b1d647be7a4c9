// Package judge says whether facts hold, from what a run has seen. It is pure:
// the same evidence gives the same finding.
//
//	judge.go   evidence and findings
//	event.go   how often an event came, and when
//	series.go  events in order
//	call.go    what is known of a call
//	miss.go    what came nearest to what did not come
//	words.go   facts and events in words
//
// A finding is never better than the evidence. What cannot be known – what a
// phone did just before its process died, a call of which nobody can tell –
// does not hold, and the finding says why.
package judge

import (
	"slices"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

// Evidence is what a run has seen.
type Evidence struct {
	// Events are in the order of their time stamps; Insert keeps it.
	Events []phone.Event
	Began  time.Time
	Now    time.Time
	// Over: nothing more will come. Otherwise facts are judged as of now.
	Over bool
	// Calls gives the calls that began on each phone during the run, in that
	// order.
	Calls map[phone.ID][]phone.CallID
	// Known is what phones said of calls, for what Needs asks.
	Known map[Query]Answer
}

// Query asks a phone about one of its calls.
type Query struct {
	PhoneID phone.ID
	CallID  phone.CallID
}

// Answer is what the phone said, by CallData, or why it could not.
type Answer struct {
	Data map[string]any
	Err  error
}

// Finding is how a fact stands.
type Finding struct {
	Held bool
	// Judged: it is known whether the fact holds.
	Judged bool
	// Open: it does not hold, and what may still come could change that.
	Open bool
	// Msg is one sentence: what was seen, and where the fact does not hold
	// what was expected and the nearest miss.
	Msg string
}

// Insert puts an event at its place by its time stamp, behind those of the same
// time. It may change the events in place.
func Insert(events []phone.Event, e phone.Event) []phone.Event {
	events = append(events, e)
	for i := len(events) - 1; i > 0 && events[i-1].Time.After(e.Time); i-- {
		events[i-1], events[i] = events[i], events[i-1]
	}
	return events
}

// Fact judges a fact.
func (ev Evidence) Fact(f spec.Fact) Finding {
	switch {
	case f.Event != nil:
		return ev.event(*f.Event)
	case f.InOrder != nil:
		return ev.series(f.InOrder)
	default:
		return ev.call(*f.Call)
	}
}

// Needs lists what has to be asked before the fact can be judged.
func (ev Evidence) Needs(f spec.Fact) []Query {
	if f.Call == nil {
		return nil
	}
	var list []Query
	for _, whose := range f.Call.Calls() {
		if call, _ := ev.resolve(whose); call != nil {
			list = append(list, Query{whose.PhoneID, *call})
		}
	}
	return list
}

// diedAt says when a phone's process died, if it did: of what it did just
// before, nobody has heard. With no phones, any phone's counts.
func (ev Evidence) diedAt(phones []phone.ID) (phone.ID, time.Time, bool) {
	for _, e := range ev.Events {
		if e.Type == "phone.exited" && (len(phones) == 0 || slices.Contains(phones, e.PhoneID)) {
			return e.PhoneID, e.Time, true
		}
	}
	return "", time.Time{}, false
}

// fromWorkers says whether one of the types comes from the phones' processes,
// and not from the run itself or the phones' keeper.
func fromWorkers(patterns []spec.EventPattern) bool {
	return slices.ContainsFunc(patterns, func(p spec.EventPattern) bool {
		text := string(p)
		return spec.OfPhone(text) && !(len(text) > 6 && text[:6] == "phone.")
	})
}
