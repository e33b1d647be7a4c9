package engine

import (
	"fmt"
	"slices"
	"strings"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

// expected is what a wait_until waits for, its defaults filled in.
type expected struct {
	spec.WaitUntil
	phones []phone.ID // nil is any
	call   *phone.CallID
}

func (x expected) wants(e phone.Event) bool {
	return spec.AnyMatches(x.Events, e.Type) && x.concerns(e) && x.Match.Holds(e)
}

func (x expected) refuses(e phone.Event) bool {
	return spec.AnyMatches(x.Unless, e.Type) && x.concerns(e)
}

func (x expected) concerns(e phone.Event) bool {
	if spec.OfPhone(e.Type) && len(x.phones) > 0 && !slices.Contains(x.phones, e.PhoneID) {
		return false
	}
	return x.call == nil || !spec.OfCall(e.Type) || (e.CallID != nil && *e.CallID == *x.call)
}

func (x expected) String() string {
	var b strings.Builder
	for i, e := range x.Events {
		if i > 0 {
			b.WriteString(" or ")
		}
		b.WriteString(string(e))
	}
	for i, id := range x.phones {
		if i == 0 {
			b.WriteString(" on ")
		} else {
			b.WriteString(" or ")
		}
		b.WriteString(string(id))
	}
	if x.call != nil {
		fmt.Fprintf(&b, " (call %d)", *x.call)
	}
	return b.String()
}

// expectation fills in the defaults of spec.WaitUntil.
func (s *sequence) expectation(step spec.WaitUntil) *expected {
	x := &expected{WaitUntil: step, phones: step.Phones, call: s.at.CallID}
	if len(x.phones) == 0 && !step.AnyPhone && s.phone != "" {
		x.phones = []phone.ID{s.phone}
	}
	if x.call != nil || len(x.phones) != 1 {
		return x
	}
	if x.call = s.lastMade(x.phones[0]); x.call == nil && s.event.PhoneID == x.phones[0] {
		x.call = s.event.CallID
	}
	return x
}

// waitUntil looks first at what has come since the last step that did
// something, so that "do X, then wait for Y" has no race.
func (r *run) waitUntil(s *sequence, step spec.WaitUntil) bool {
	x := s.expectation(step)
	var shown phone.ID
	if len(x.phones) == 1 {
		shown = x.phones[0]
	}
	r.recordAction(s, shown, x.call, map[string]any{"event": x.String(), "timeout_ms": step.Timeout.Milliseconds()})
	s.waiting = x
	for _, h := range r.history[min(s.since.index, len(r.history)):] {
		if s.since.before(h) {
			continue
		}
		if x.wants(h.event) {
			return r.met(s, h)
		}
		if x.refuses(h.event) {
			s.waiting = nil
			return r.failed(s, refusal(x, h))
		}
	}
	s.alarm = r.alarms.set(s.begun.Add(step.Timeout), func() { r.overdue(s) })
	return false
}

// met notes the event that a wait was for: what comes next is counted from it.
// It says whether the sequence goes on.
func (r *run) met(s *sequence, h happened) bool {
	x := s.waiting
	r.alarms.stop(s.alarm)
	s.waiting, s.alarm = nil, nil
	s.since.index = h.index + 1
	s.chain = h.chain
	r.amend(s, map[string]any{"came": describe(h.event)})
	if err := r.capture(s, x.Capture, h.event); err != nil {
		return r.failed(s, err)
	}
	return true
}

// awaited lets a sequence go on whose event has come.
func (r *run) awaited(s *sequence, h happened) {
	if r.met(s, h) {
		r.advance(s)
	}
}

// refused fails a wait because of an event of its unless.
func (r *run) refused(s *sequence, h happened) {
	x := s.waiting
	r.alarms.stop(s.alarm)
	s.waiting, s.alarm = nil, nil
	if r.failed(s, refusal(x, h)) {
		r.advance(s)
	}
}

func refusal(x *expected, h happened) error {
	return fmt.Errorf("%s came before %s", describe(h.event), x)
}

func (r *run) overdue(s *sequence) {
	x := s.waiting
	s.waiting, s.alarm = nil, nil
	if r.failed(s, fmt.Errorf("no %s within %d ms", x, x.Timeout.Milliseconds())) {
		r.advance(s)
	}
}

// describe names an event with what tells it from others of its type.
func describe(e phone.Event) string {
	var b strings.Builder
	b.WriteString(e.Type)
	if e.PhoneID != "" {
		fmt.Fprintf(&b, " on %s", e.PhoneID)
	}
	if e.CallID != nil {
		fmt.Fprintf(&b, " (call %d)", *e.CallID)
	}
	if status, ok := e.Data["last_status"]; ok && fmt.Sprint(status) != "0" {
		fmt.Fprintf(&b, ", %v %v", status, e.Data["last_status_text"])
	}
	return b.String()
}
