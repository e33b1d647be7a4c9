package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
	"ringmaster/supervisor/diagnose"
	"ringmaster/supervisor/hub"
)

func waitEntries() []entry {
	return []entry{
		define(entry{name: "wait_for_event", title: "Wait for an event",
			description: "Wait until something happens at a phone: call.state.confirmed, call.state.*, dtmf.in, reg.success, im.received, transfer.*, media.*, sip.request.invite, sip.response.486, phone.exited, … Give the cursor of what you did as after, and nothing that it caused is missed. Answers with the first event that fits, or with timed_out; its cursor goes into the next wait.",
			hints:       Hints{ReadOnly: true}}, waitForEvent),
	}
}

type waitArguments struct {
	Type      string          `json:"type" doc:"an event type, a family such as call.state.*, or *"`
	PhoneID   *string         `json:"phone_id" doc:"left out: any phone"`
	CallID    *phone.CallID   `json:"call_id" min:"0" doc:"left out: any call, or none"`
	Match     json.RawMessage `json:"match" doc:"what fields of the event's data must be: a value, a list of values, \"4xx\", or \"~regex\"; dotted paths reach inner fields, such as headers.User-Agent of sip.* events"`
	After     *uint64         `json:"after" min:"0" doc:"the cursor of an earlier answer; left out: what happens from now on"`
	TimeoutMS int64           `json:"timeout_ms" default:"10000" min:"0" max:"300000"`
}

type eventFields struct {
	Type    string         `json:"type"`
	PhoneID *phone.ID      `json:"phone_id"`
	CallID  *phone.CallID  `json:"call_id"`
	TS      unixTime       `json:"ts"`
	Data    map[string]any `json:"data"`
}

type waitResult struct {
	Event    *eventFields `json:"event"`
	TimedOut bool         `json:"timed_out"`
	// Cursor is where the next wait goes on: after the event, or after
	// everything that was looked at.
	Cursor  uint64 `json:"cursor"`
	Warning string `json:"warning,omitempty"`
}

// wish is what a wait is for.
type wish struct {
	filter spec.Filter
	phone  phone.ID      // "" is any
	call   *phone.CallID // nil is any, or none
}

func waitForEvent(ctx context.Context, c *call, a waitArguments) (waitResult, error) {
	w, err := c.set.wish(a)
	if err != nil {
		return waitResult{}, err
	}
	newest := c.set.o.Hub.Position()
	result := waitResult{Cursor: newest}
	if a.After != nil {
		if result.Cursor = *a.After; result.Cursor > newest {
			return waitResult{}, phone.Errorf(phone.Invalid, "after is %d, and the newest cursor is %d: give one that this server has answered", *a.After, newest)
		}
	}
	var lost []string
	waiting, stop := context.WithTimeout(ctx, time.Duration(a.TimeoutMS)*time.Millisecond)
	defer stop()
	query := hub.Query{After: result.Cursor, Traces: w.filter.NamesTraces()}
	if slices.ContainsFunc(w.filter.Types, spec.EventPattern.NamesSIP) {
		query.SIP = diagnose.Event
	}
	_, err = c.set.o.Hub.Wait(waiting, query, func(r hub.Record) bool {
		result.Cursor = r.Position
		if r.Gap != nil {
			if r.PhoneID == "" || w.phone == "" || w.phone == r.PhoneID {
				lost = append(lost, gapSentence(r))
			}
			return false
		}
		e, ok := w.finds(c.set, r)
		if ok {
			result.Event = fieldsOfEvent(e)
		}
		return ok
	})
	if ctx.Err() != nil {
		return waitResult{}, ctx.Err()
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return waitResult{}, err
	}
	if result.TimedOut = err != nil; result.TimedOut {
		lost = append(lost, c.set.strangers(w)...)
	}
	result.Warning = strings.Join(lost, "; ")
	return result, nil
}

// wish checks the arguments of a wait.
func (s *Set) wish(a waitArguments) (wish, error) {
	w := wish{call: a.CallID}
	if a.PhoneID != nil {
		id, err := phone.ParseID(*a.PhoneID)
		if err != nil {
			return wish{}, err
		}
		w.phone = id
	}
	if a.CallID != nil && w.phone != "" {
		if owner, known := s.o.Hub.Owner(*a.CallID); known && owner != w.phone {
			return wish{}, foreignCall(*a.CallID, owner, w.phone)
		}
	}
	var match map[string]any
	if len(a.Match) > 0 {
		d := json.NewDecoder(bytes.NewReader(a.Match))
		d.UseNumber()
		if err := d.Decode(&match); err != nil {
			return wish{}, errors.New("match must be an object of fields and what they must be")
		}
	}
	filter, issues := spec.ReadFilter(a.Type, match)
	if len(issues) > 0 {
		sentences := make([]string, len(issues))
		for i, issue := range issues {
			sentences[i] = issue.Error()
		}
		return wish{}, errors.New(strings.Join(sentences, "; "))
	}
	w.filter = filter
	return w, nil
}

// finds says whether a record is what is wished for. What is matched is what
// the client is shown.
func (w wish) finds(s *Set, r hub.Record) (phone.Event, bool) {
	e := *r.Event
	e.PhoneID = r.PhoneID
	if w.phone != "" && e.PhoneID != w.phone || w.call != nil && (e.CallID == nil || *e.CallID != *w.call) {
		return e, false
	}
	if !spec.AnyMatches(w.filter.Types, e.Type) {
		return e, false
	}
	e.Data, _ = s.shown("", e.Data).(map[string]any)
	return e, w.filter.Match.Holds(e)
}

func fieldsOfEvent(e phone.Event) *eventFields {
	if e.Data == nil {
		e.Data = map[string]any{}
	}
	return &eventFields{Type: e.Type, PhoneID: orNull(e.PhoneID), CallID: e.CallID, TS: unixTimeOf(e.Time), Data: e.Data}
}

// gapSentence says what was lost before it could be looked at.
func gapSentence(r hub.Record) string {
	if r.PhoneID == "" {
		return fmt.Sprintf("the events up to cursor %d are no longer kept and were not looked at", r.Position)
	}
	return fmt.Sprintf("%d events of phone %s were lost and could not be looked at", r.Gap.To-r.Gap.From+1, r.PhoneID)
}

// strangers are the phone and the call of a wish in vain that nobody knows.
func (s *Set) strangers(w wish) []string {
	var sentences []string
	if w.phone != "" {
		if _, err := s.o.Phones.Status(w.phone); err != nil {
			sentences = append(sentences, sentence(err))
		}
	}
	if w.call != nil {
		if _, known := s.o.Hub.Owner(*w.call); !known {
			sentences = append(sentences, notFound(*w.call).Error())
		}
	}
	return sentences
}
