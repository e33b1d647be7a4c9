package call

import (
	"errors"

	"ringmaster/proto/phone"
	"ringmaster/worker/callstate"
	"ringmaster/worker/codec"
	"ringmaster/worker/dialog"
	"ringmaster/worker/negotiate"
)

// Hold asks the far end to be quiet: a re-INVITE with a=sendonly, our music
// goes on. done is called once, when the re-INVITE is final.
func (c *Call) Hold(done func(already bool, err error)) { c.setHold(true, done) }

// Unhold takes the call up again: a re-INVITE with a=sendrecv.
func (c *Call) Unhold(done func(already bool, err error)) { c.setHold(false, done) }

func (c *Call) setHold(hold bool, done func(already bool, err error)) {
	switch {
	case c.at.State != phone.StateConfirmed:
		done(false, c.wrongState("held or taken up: it must be confirmed"))
	case c.held == hold:
		done(true, nil)
	default:
		before := c.held
		c.held = hold
		c.reoffer(nil, func(err error) {
			if err != nil {
				c.held = before
			}
			done(false, err)
		})
	}
}

// SetCodecs offers the call another list of codecs; a hold stays a hold. After
// a refusal the call goes on as it was (RFC 3261 §14.1), with the list that it
// had: it can still be held.
func (c *Call) SetCodecs(codecs []codec.Spec, own bool, done func(error)) {
	if c.at.State != phone.StateConfirmed {
		done(c.wrongState("offered other codecs: it must be confirmed"))
		return
	}
	c.reoffer(func() (back func()) { return c.negotiation.SetCodecs(codecs, own) }, done)
}

// UseCodecs gives a call that is not confirmed yet another list of codecs, for
// what it still has to say. An answer that has not left is made anew; if there is
// none then, the call is refused.
func (c *Call) UseCodecs(codecs []codec.Spec, own bool) {
	c.negotiation.SetCodecs(codecs, own)
	if !c.Waiting() || c.answer == nil || c.described {
		return
	}
	answer, err := c.makeAnswer(c.offer)
	if err != nil {
		c.unacceptable(err)
		return
	}
	c.answer = answer
}

// endUnsecured ends a call with SRTP whose far end has answered without: it is
// what the far end does now, whatever was agreed before.
func (c *Call) endUnsecured(err error) {
	if !errors.Is(err, negotiate.ErrKeys) && !errors.Is(err, negotiate.ErrProfile) {
		return
	}
	c.log().Warn("the answer to a re-INVITE cannot be used", "error", err)
	c.lastStatus, c.lastText = 488, "Not Acceptable Here"
	c.must(callstate.Hangup, 0, "")
}

// reoffer sends a re-INVITE that describes the call as it should be now. change,
// unless it is nil, is made just before each offer, and taken back when that
// comes to nothing.
func (c *Call) reoffer(change func() (back func()), done func(error)) {
	back := func() {}
	undo := func() {
		c.negotiation.Rollback()
		back()
		back = func() {}
	}
	c.session.Reoffer(dialog.Reoffer{
		Offer: func() ([]byte, error) {
			if change != nil {
				back = change()
			}
			return c.makeOffer(c.session.Source())
		},
		Take: c.takeAnswer,
		Undo: undo,
		Done: func(err error) {
			if err != nil {
				undo()
				c.endUnsecured(err)
				err = named(c.id, err)
			}
			done(err)
		},
	})
}
