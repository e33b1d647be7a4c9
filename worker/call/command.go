package call

import (
	"errors"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/worker/audio"
	"ringmaster/worker/callstate"
)

// Answer sends 180, 183 or 200. It answers with already true when the call
// has been answered before.
func (c *Call) Answer(status int) (already bool, err error) {
	if c.at.Inbound && status == 200 && (c.at.State == phone.StateConnecting || c.at.State == phone.StateConfirmed) {
		return true, nil
	}
	if !c.Waiting() {
		return false, c.wrongState("answered: only a call that came in and waits can be")
	}
	in, text, body := callstate.Provision, "Ringing", []byte(nil)
	if status != 180 {
		text = "Session Progress"
		if body, err = c.description(); err != nil {
			return false, err
		}
	}
	if status == 200 {
		in, text = callstate.Accept, "OK"
		err = c.session.Accept(body)
	} else {
		err = c.session.Progress(status, text, body)
	}
	if err != nil {
		return false, phone.Errorf(phone.Unreachable, "call %d: the %d could not be sent: %v", c.id, status, err)
	}
	return false, c.step(in, status, text)
}

// Alert tells the far end that the phone rings: 180, as any phone says of
// itself. The call is INCOMING until its user does something about it.
func (c *Call) Alert() {
	if c.Waiting() {
		c.warn("180", c.session.Progress(180, "Ringing", nil))
	}
}

// Reject refuses a waiting call with a final status from 300 to 699.
func (c *Call) Reject(status int, reason string) error {
	if !c.Waiting() {
		return c.wrongState("rejected: only a call that came in and waits can be")
	}
	return c.step(callstate.Refuse, status, reason)
}

// leaveWithin is how long a hangup waits for what its message has to wait for:
// a CANCEL for the far end's first answer (RFC 3261 §9.1), a BYE for the ACK of
// our 200 (§15).
const leaveWithin = 2 * time.Second

// ErrNotLeft is what a hangup is told whose message has not left in time: it
// will, with what it waits for.
var ErrNotLeft = errors.New("the far end has yet to say something before it may be told")

// Hangup ends the call. left is called once, when the BYE, CANCEL or refusal
// has left, or with the reason why it could not; already is true when there
// was nothing to end.
func (c *Call) Hangup(left func(already bool, err error)) {
	switch c.at.State {
	case phone.StateDisconnected:
		left(true, nil)
		return
	case phone.StateNull:
		c.session.Cancel(nil)
		left(false, nil)
		return
	}
	if c.at.Ending {
		left(true, nil)
		return
	}
	c.left = func(err error) { left(false, err) }
	status, text := 200, normalClearing
	switch {
	case c.Waiting():
		status, text = 603, "Decline"
	case c.at.State == phone.StateCalling || c.at.State == phone.StateEarly:
		status, text = 0, "" // the INVITE's final response will say
	}
	c.must(callstate.Hangup, status, text)
	if at := c.at.State; at == phone.StateCalling || at == phone.StateConnecting {
		c.env.Loop.After(leaveWithin, func() {
			if c.at.State == at {
				c.tellLeft(ErrNotLeft)
			}
		})
	}
}

// Abandon ends the call without a word to the far end.
func (c *Call) Abandon(reason string) {
	c.session.Abandon()
	c.lastText = reason // whether or not there was a status yet
	c.must(callstate.Lost, c.lastStatus, reason)
}

// Play plays a WAV file, or music on hold by its name, into the call.
func (c *Call) Play(path string, loop bool) error {
	if c.stream == nil || c.stream.Playing() == "" {
		return c.wrongState("played into: its media is not up")
	}
	if path == audio.MusicOnHold {
		c.stream.PlayMusic()
		return nil
	}
	if err := c.stream.Play(path, loop); err != nil {
		return phone.Errorf(phone.Invalid, "%v", err)
	}
	return nil
}

// StopAudio goes back to music on hold.
func (c *Call) StopAudio() error {
	if c.stream == nil || c.stream.Playing() == "" {
		return c.wrongState("silenced: its media is not up")
	}
	c.stream.PlayMusic()
	return nil
}

// wrongState makes the error of a command that the call's state forbids.
func (c *Call) wrongState(what string) error {
	return phone.Errorf(phone.Precondition, "call %d is %v and cannot be %s", c.id, c.at.State, what)
}

// named puts the call's id before a sentence of the layers below, keeping its
// kind.
func named(id phone.CallID, err error) error {
	var e *phone.Error
	if !errors.As(err, &e) {
		return phone.Errorf(phone.Internal, "call %d: %v", id, err)
	}
	out := phone.Errorf(e.Kind, "call %d: %s", id, e.Sentence)
	out.Status = e.Status
	return out
}

// Conference mixes calls with each other, none hearing itself. Every one must
// be confirmed.
func Conference(env *Env, calls []*Call) error {
	streams := make([]*audio.Stream, 0, len(calls))
	for _, c := range calls {
		if c.at.State != phone.StateConfirmed || c.stream == nil {
			return c.wrongState("part of a conference: it must be confirmed")
		}
		streams = append(streams, c.stream)
	}
	return env.Engine.Mix(streams...)
}
