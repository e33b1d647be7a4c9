package handset

import (
	"context"
	"errors"

	"ringmaster/proto/phone"
	"ringmaster/proto/siptx"
	"ringmaster/worker/call"
	"ringmaster/worker/dialog"
)

// reply takes a command's outcome; it is called once, on the loop.
type reply func(phone.Outcome, error)

// Do implements phone.Phone.
func (h *Handset) Do(ctx context.Context, cmd phone.Command) (phone.Outcome, error) {
	pending, err := h.Begin(ctx, cmd)
	if err != nil {
		return phone.Outcome{}, err
	}
	return pending()
}

// Begin implements phone.Phone. A command is taken in one turn of the loop.
func (h *Handset) Begin(ctx context.Context, cmd phone.Command) (phone.Pending, error) {
	type answer struct {
		outcome phone.Outcome
		err     error
	}
	answered := make(chan answer, 1) // the reply never waits for us
	err := h.onLoop(ctx, func() {
		cursor := h.journal.Last()
		h.do(cmd, func(o phone.Outcome, err error) {
			o.Cursor = cursor
			answered <- answer{o, err}
		})
	})
	if err != nil {
		return nil, err
	}
	return func() (phone.Outcome, error) {
		select {
		case a := <-answered:
			return a.outcome, a.err
		case <-ctx.Done():
			return phone.Outcome{}, ctx.Err()
		case <-h.loop.Stopped():
			return phone.Outcome{}, phone.Errorf(phone.Gone, "phone %q was shut down before it had answered", h.cfg.PhoneID)
		}
	}, nil
}

func (h *Handset) do(cmd phone.Command, done reply) {
	if begins(cmd) && h.journal.Full() {
		done(phone.Outcome{}, phone.Errorf(phone.Exhausted,
			"phone_id %q takes no commands for now: too many of its events wait to be read, and none may be lost", h.cfg.PhoneID))
		return
	}
	switch cmd := cmd.(type) {
	case phone.ListCalls:
		done(phone.Outcome{Calls: h.infos()}, nil)
	case phone.HangupAll:
		h.hangupAll(done)
	case phone.SendMessage:
		h.sendMessage(cmd, done)
	case phone.Register:
		h.reg.Register(func(r phone.Registration) { done(h.registered("REGISTER", r.IsRegistered, r)) })
	case phone.Unregister:
		bound := h.reg.Status().IsRegistered
		h.reg.Unregister(func(r phone.Registration) {
			done(h.registered("un-REGISTER", !bound || r.StatusCode/100 == 2, r))
		})
	case phone.GetRegistration:
		r := h.reg.Status()
		done(phone.Outcome{Registration: &r}, nil)
	case phone.UpdateSettings:
		h.update(cmd.Update, done)
	case phone.StartCapture:
		h.startCapture(done)
	case phone.StopCapture:
		h.stopCapture(done)
	case phone.GrantCallIDs:
		h.calls.ids.grant(cmd.Block)
		done(phone.Outcome{}, nil)
	default:
		h.doCall(cmd, done)
	}
}

// doCall does what concerns calls.
func (h *Handset) doCall(cmd phone.Command, done reply) {
	switch cmd := cmd.(type) {
	case phone.MakeCall:
		h.makeCall(cmd, done)
	case phone.Answer:
		h.answer(cmd, done)
	case phone.Reject:
		h.reject(cmd, done)
	case phone.Hangup:
		h.hangup(cmd, done)
	case phone.Hold:
		h.onCallLater(cmd.CallID, done, (*call.Call).Hold)
	case phone.Unhold:
		h.onCallLater(cmd.CallID, done, (*call.Call).Unhold)
	case phone.SetCodecs:
		h.setCodecs(cmd, done)
	case phone.BlindTransfer:
		h.blindTransfer(cmd, done)
	case phone.AttendedTransfer:
		h.attendedTransfer(cmd, done)
	case phone.Conference:
		h.conference(cmd, done)
	case phone.SendDTMF:
		h.onCall(cmd.CallID, done, func(c *call.Call, o *phone.CallOutcome) error {
			var err error
			o.Digits, err = c.SendDTMF(cmd.Digits)
			return err
		})
	case phone.PlayAudio:
		h.onCall(cmd.CallID, done, func(c *call.Call, o *phone.CallOutcome) error {
			o.Playing = cmd.FilePath
			return c.Play(cmd.FilePath, cmd.Loop)
		})
	case phone.StopAudio:
		h.onCall(cmd.CallID, done, func(c *call.Call, _ *phone.CallOutcome) error { return c.StopAudio() })
	case phone.GetRecording:
		h.getRecording(cmd, done)
	case phone.GetCall:
		h.getCall(cmd, done)
	default:
		done(phone.Outcome{}, phone.Errorf(phone.Invalid, "this phone cannot do %T", cmd))
	}
}

// begins reports whether a command starts something that makes events: such
// ones wait while events might be lost. Looking, and ending what there is, never
// does.
func begins(cmd phone.Command) bool {
	switch cmd.(type) {
	case phone.MakeCall, phone.SendMessage, phone.SendDTMF, phone.Hold, phone.Unhold, phone.SetCodecs,
		phone.BlindTransfer, phone.AttendedTransfer, phone.Conference:
		return true
	}
	return false
}

// onCall performs a command that is decided at once on an active call.
func (h *Handset) onCall(id *phone.CallID, done reply, act func(*call.Call, *phone.CallOutcome) error) {
	c, err := h.activeCall(id)
	if err != nil {
		done(phone.Outcome{}, err)
		return
	}
	o := phone.CallOutcome{CallID: c.ID()}
	if err := act(c, &o); err != nil {
		done(phone.Outcome{}, err)
		return
	}
	o.State = c.State()
	done(phone.Outcome{Call: &o}, nil)
}

func (h *Handset) makeCall(cmd phone.MakeCall, done reply) {
	fail := func(err error) { done(phone.Outcome{}, err) }
	dest, err := dialog.ParseURI("dest_uri", cmd.DestURI)
	if err != nil {
		fail(err)
		return
	}
	headers, err := extraHeaders(cmd.Headers)
	if err != nil {
		fail(err)
		return
	}
	if h.calls.closed || len(h.calls.live) >= maxCalls {
		fail(phone.Errorf(phone.Exhausted, "phone_id %q has %d calls and takes no more", h.cfg.PhoneID, len(h.calls.live)))
		return
	}
	id, ok := h.calls.ids.next()
	if !ok {
		fail(phone.Errorf(phone.Exhausted, "phone_id %q has used up its call ids", h.cfg.PhoneID))
		return
	}
	var c *call.Call
	c = call.Dial(h.env, id, dest, headers, func(err error) {
		if err != nil {
			fail(phone.Errorf(phone.Unreachable, "phone_id %q could not call %s: %v", h.cfg.PhoneID, cmd.DestURI, err))
			return
		}
		done(phone.Outcome{Call: &phone.CallOutcome{CallID: id, State: c.State()}}, nil)
	})
	h.calls.live = append(h.calls.live, c)
	h.callBegins()
}

func (h *Handset) answer(cmd phone.Answer, done reply) {
	c, err := h.waitingCall(cmd.CallID)
	if err != nil {
		done(phone.Outcome{}, err)
		return
	}
	already, err := c.Answer(cmd.Status)
	if err != nil {
		done(phone.Outcome{}, err)
		return
	}
	done(phone.Outcome{Call: &phone.CallOutcome{CallID: c.ID(), State: c.State(), Already: already}}, nil)
}

func (h *Handset) reject(cmd phone.Reject, done reply) {
	c, err := h.waitingCall(cmd.CallID)
	if err == nil {
		err = c.Reject(cmd.Status, siptx.ReasonPhrase(cmd.Status))
	}
	if err != nil {
		done(phone.Outcome{}, err)
		return
	}
	done(phone.Outcome{Call: &phone.CallOutcome{CallID: c.ID(), State: c.State(), Status: cmd.Status}}, nil)
}

func (h *Handset) hangup(cmd phone.Hangup, done reply) {
	if info, over := h.endedCall(cmd.CallID); over {
		done(phone.Outcome{Call: &phone.CallOutcome{CallID: info.CallID, State: info.State, Already: true}}, nil)
		return
	}
	c, err := h.activeCall(cmd.CallID)
	if err != nil {
		done(phone.Outcome{}, err)
		return
	}
	c.Hangup(func(already bool, err error) {
		pending := errors.Is(err, call.ErrNotLeft)
		if err != nil && !pending {
			done(phone.Outcome{}, phone.Errorf(phone.Unreachable, "call %d is over here, but the far end could not be told: %v", c.ID(), err))
			return
		}
		done(phone.Outcome{Call: &phone.CallOutcome{CallID: c.ID(), State: c.State(), Already: already, Pending: pending}}, nil)
	})
}

func (h *Handset) hangupAll(done reply) {
	active := h.calls.active()
	waiting := len(active)
	if waiting == 0 {
		done(phone.Outcome{}, nil)
		return
	}
	for _, c := range active {
		c.Hangup(func(bool, error) { // one that fails does not keep the others
			if waiting--; waiting == 0 {
				done(phone.Outcome{}, nil)
			}
		})
	}
}

func (h *Handset) getRecording(cmd phone.GetRecording, done reply) {
	c, err := h.activeCall(cmd.CallID)
	if err != nil {
		done(phone.Outcome{}, err)
		return
	}
	r := c.Recording()
	done(phone.Outcome{Recording: &r}, nil)
}

func (h *Handset) getCall(cmd phone.GetCall, done reply) {
	if info, over := h.endedCall(cmd.CallID); over {
		done(phone.Outcome{Calls: []phone.CallInfo{info}}, nil)
		return
	}
	c, err := h.activeCall(cmd.CallID)
	if err != nil {
		done(phone.Outcome{}, err)
		return
	}
	done(phone.Outcome{Calls: []phone.CallInfo{c.Info()}}, nil)
}

// registered turns the end of a REGISTER into an outcome. A refusal is an
// error that names it.
func (h *Handset) registered(what string, ok bool, r phone.Registration) (phone.Outcome, error) {
	switch {
	case ok:
		return phone.Outcome{Registration: &r}, nil
	case r.StatusCode == 0:
		return phone.Outcome{}, phone.Errorf(phone.Unreachable, "phone_id %q: %s got no answer: %s", h.cfg.PhoneID, what, r.Reason)
	}
	refusal := phone.Errorf(phone.Refused, "phone_id %q: %s was refused: %d %s", h.cfg.PhoneID, what, r.StatusCode, r.Reason)
	refusal.Status = r.StatusCode
	return phone.Outcome{}, refusal
}
