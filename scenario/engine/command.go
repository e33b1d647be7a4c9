package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/judge"
	"ringmaster/scenario/spec"
	"ringmaster/scenario/timeline"
)

// deed begins one command, or the few that make one action.
type deed func(ctx context.Context) Answer

// command begins an action that tells a phone something. It never is over at
// once, except when it cannot begin.
func (r *run) command(s *sequence) bool {
	id, call := r.target(s)
	do, call := r.deed(s, id, call)
	if do == nil {
		r.recordAction(s, id, call, nil)
		return r.failed(s, fmt.Errorf("it needs phone_id: the hook has no on_phone, and %s comes from no phone", s.event.Type))
	}
	r.recordAction(s, id, call, arguments(s.at.Step))
	since := mark{index: len(r.history), position: r.env.Feed.Position(), phone: id, incarnation: r.incarnations[id]}
	s.command = true
	r.launch(r.contextOf(s), do, func(out phone.Outcome, err error) {
		s.command = false
		since.cursor = out.Cursor
		if _, looks := s.at.Step.(spec.Snapshot); !looks { // looking does nothing to a phone
			s.since = since
		}
		s.chain = 0
		r.done(s, id, out, err)
	})
	return false
}

// contextOf is that of a sequence's commands.
func (r *run) contextOf(s *sequence) context.Context {
	if s.final {
		return r.finalCtx
	}
	return r.commandCtx
}

// launch begins a deed in the loop, waits for its answer beside the loop and
// settles it in the loop.
func (r *run) launch(ctx context.Context, do deed, settle func(phone.Outcome, error)) {
	r.underWay++
	answer := do(ctx)
	go func() {
		out, err := answer()
		r.completed <- func() { settle(out, err) }
	}()
}

// done goes on after a command. One that the end of the run broke off has not
// failed: nobody knows how it would have ended.
func (r *run) done(s *sequence, id phone.ID, out phone.Outcome, err error) {
	if err != nil && r.phase != running && r.contextOf(s).Err() != nil {
		r.amend(s, map[string]any{"broken_off": true})
		r.cutOff(s)
		return
	}
	if err != nil {
		r.amend(s, map[string]any{"error": err.Error()})
		if r.failed(s, err) {
			r.advance(s)
		}
		return
	}
	r.amend(s, outcome(out))
	switch step := s.at.Step.(type) {
	case spec.MakeCall:
		if out.Call == nil {
			break
		}
		s.made = append(s.made, madeCall{id, out.Call.CallID})
		r.calls.make(id, out.Call.CallID)
		if step.SaveCall != "" {
			r.set(s, step.SaveCall, int64(out.Call.CallID))
		}
	case spec.Snapshot:
		r.snapshot(s, id, step, out)
	}
	if out.Call != nil && s.entry >= 0 && r.record.entries[s.entry].CallID == nil {
		call := out.Call.CallID
		r.record.entries[s.entry].CallID = &call
	}
	r.advance(s)
}

// deed makes the commands of the current action, and says which call they are
// on. It gives nil when the phone is not known.
func (r *run) deed(s *sequence, id phone.ID, call *phone.CallID) (deed, *phone.CallID) {
	if _, all := s.at.Step.(spec.HangupAll); all {
		return r.hangupAll(s), nil
	}
	if id == "" {
		return nil, call
	}
	if change := r.change(id, s.at.Step); change != nil {
		return change, nil
	}
	switch step := s.at.Step.(type) {
	case spec.AttendedTransfer:
		// Without ids the phone's first two calls are meant, not the event's.
		return r.one(id, phone.AttendedTransfer{CallID: s.at.CallID, DestCallID: step.DestCallID}), s.at.CallID
	case spec.Conference:
		return r.conference(id, step), nil
	case spec.MakeCall:
		return r.one(id, phone.MakeCall{DestURI: step.To, Headers: step.Headers}), nil
	case spec.SendMessage:
		return r.one(id, phone.SendMessage{DestURI: step.To, Body: step.Body, ContentType: step.ContentType}), nil
	case spec.Register:
		return r.one(id, phone.Register{}), nil
	case spec.Unregister:
		return r.one(id, phone.Unregister{}), nil
	}
	return r.one(id, callCommand(s.at.Step, call)), call
}

// callCommand is the command of an action on one call.
func callCommand(step spec.Step, call *phone.CallID) phone.Command {
	switch step := step.(type) {
	case spec.Answer:
		return phone.Answer{CallID: call, Status: step.Code}
	case spec.Reject:
		return phone.Reject{CallID: call, Status: step.Code}
	case spec.Hangup:
		return phone.Hangup{CallID: call}
	case spec.Hold:
		return phone.Hold{CallID: call}
	case spec.Unhold:
		return phone.Unhold{CallID: call}
	case spec.SendDTMF:
		return phone.SendDTMF{CallID: call, Digits: step.Digits}
	case spec.BlindTransfer:
		return phone.BlindTransfer{CallID: call, DestURI: step.To}
	case spec.PlayAudio:
		return phone.PlayAudio{CallID: call, FilePath: step.File, Loop: step.Loop}
	case spec.StopAudio:
		return phone.StopAudio{CallID: call}
	case spec.SetCodecs:
		return phone.SetCodecs{CallID: call, Codecs: step.Codecs}
	case spec.Snapshot:
		return phone.GetCall{CallID: call}
	}
	return nil
}

// snapshot puts what the phone said of a call onto the timeline.
func (r *run) snapshot(s *sequence, id phone.ID, step spec.Snapshot, out phone.Outcome) {
	for _, c := range out.Calls {
		data := judge.CallData(c)
		data["label"] = step.Label
		r.record.add(time.Now(), timeline.Entry{
			Kind: timeline.Meta, Type: "snapshot.taken", PhoneID: timeline.Phone(id), CallID: &c.CallID, Data: data,
			HookID: timeline.Text(s.id), PatternName: timeline.Text(s.pattern),
		})
	}
}

func (r *run) one(id phone.ID, cmd phone.Command) deed {
	phones := r.env.Phones
	return func(ctx context.Context) Answer { return phones.Begin(ctx, id, cmd) }
}

// hangupAll ends every call of the action's phone, of its hook's on_phone, or
// else of every phone of the run.
func (r *run) hangupAll(s *sequence) deed {
	ids := r.scope.named
	if s.at.PhoneID != "" {
		ids = []phone.ID{s.at.PhoneID}
	} else if s.onPhone != "" {
		ids = []phone.ID{s.onPhone}
	}
	phones := r.env.Phones
	return func(ctx context.Context) Answer {
		answers := make([]Answer, len(ids))
		for i, id := range ids {
			answers[i] = phones.Begin(ctx, id, phone.HangupAll{})
		}
		return allOf(answers)
	}
}

// allOf waits for several answers; its outcome is empty.
func allOf(answers []Answer) Answer {
	return func() (phone.Outcome, error) {
		errs := make([]error, len(answers))
		for i, answer := range answers {
			_, errs[i] = answer()
		}
		return phone.Outcome{}, errors.Join(errs...)
	}
}

// conference mixes the calls that are named, or all that are active.
func (r *run) conference(id phone.ID, step spec.Conference) deed {
	if len(step.CallIDs) > 0 {
		return r.one(id, phone.Conference{CallIDs: step.CallIDs})
	}
	phones := r.env.Phones
	return func(ctx context.Context) Answer {
		list := phones.Begin(ctx, id, phone.ListCalls{})
		return func() (phone.Outcome, error) {
			out, err := list()
			if err != nil {
				return out, err
			}
			var ids []phone.CallID
			for _, c := range out.Calls {
				if c.State == phone.StateConfirmed {
					ids = append(ids, c.CallID)
				}
			}
			if len(ids) < 2 {
				return out, fmt.Errorf("%s has %d confirmed calls; a conference needs at least two", id, len(ids))
			}
			return phones.Begin(ctx, id, phone.Conference{CallIDs: ids})()
		}
	}
}

// arguments is what the timeline shows of an action.
func arguments(step spec.Step) map[string]any {
	switch step := step.(type) {
	case spec.Answer:
		return map[string]any{"code": int64(step.Code)}
	case spec.Reject:
		return map[string]any{"code": int64(step.Code)}
	case spec.SendDTMF:
		return map[string]any{"digits": step.Digits}
	case spec.BlindTransfer:
		return map[string]any{"to": step.To}
	case spec.AttendedTransfer:
		if step.DestCallID != nil {
			return map[string]any{"dest_call_id": int64(*step.DestCallID)}
		}
	case spec.Conference:
		if len(step.CallIDs) == 0 {
			return map[string]any{"call_ids": "auto"}
		}
		ids := make([]any, len(step.CallIDs))
		for i, id := range step.CallIDs {
			ids[i] = int64(id)
		}
		return map[string]any{"call_ids": ids}
	case spec.MakeCall:
		return map[string]any{"to": step.To}
	case spec.PlayAudio:
		return map[string]any{"file": step.File, "loop": step.Loop}
	case spec.SendMessage:
		return map[string]any{"to": step.To, "body": step.Body}
	case spec.SetCodecs:
		return map[string]any{"codecs": texts(step.Codecs)}
	case spec.Snapshot:
		return map[string]any{"label": step.Label}
	case spec.AddPhone:
		return map[string]any{"domain": step.Settings.Domain, "username": step.Settings.Username, "transport": string(step.Settings.Transport)}
	case spec.DropPhone:
		return map[string]any{"hangup_calls": step.HangupCalls}
	case spec.UpdatePhone:
		return changed(step.Update)
	}
	return nil
}

// outcome is what the timeline shows of a command's answer.
func outcome(out phone.Outcome) map[string]any {
	data := map[string]any{}
	if out.Call != nil {
		data["state"] = out.Call.State.EventName()
		if out.Call.Already {
			data["already"] = true
		}
	}
	if out.Participants > 0 {
		data["participants"] = int64(out.Participants)
	}
	if out.Registration != nil {
		data["status_code"], data["reason"] = int64(out.Registration.StatusCode), out.Registration.Reason
	}
	return data
}

// collectRecordings asks for the files of some phones and names each on the
// timeline.
func (r *run) collectRecordings(s *sequence, step spec.CollectRecordings) bool {
	ids := step.Phones
	if len(ids) == 0 {
		ids = r.scope.named
	}
	list := make([]any, len(ids))
	queries := make([]FileQuery, len(ids))
	for i, id := range ids {
		list[i], queries[i] = string(id), r.fileQuery(id)
	}
	r.recordAction(s, "", nil, map[string]any{"phone_ids": list})
	found := make([]*timeline.Artifact, len(ids))
	files := r.env.Files
	s.command = true
	r.launch(r.contextOf(s), lookFor(files, queries, found), func(phone.Outcome, error) {
		s.command = false
		r.amend(s, nil)
		for i, id := range ids {
			r.nameRecording(s, id, found[i])
		}
		r.advance(s)
	})
	return false
}
