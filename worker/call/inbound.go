package call

import (
	"errors"
	"net/netip"

	"ringmaster/proto/phone"
	"ringmaster/worker/callstate"
	"ringmaster/worker/dialog"
)

// normalClearing is the text that goes with status 200 when a call ended by
// BYE.
const normalClearing = "Normal call clearing"

// Ring takes up a call that came in. It returns nil when the INVITE could not
// be taken and has been refused.
func Ring(env *Env, id phone.CallID, s *dialog.Session, invite dialog.Invite) *Call {
	c := newCall(env, id)
	c.session = s
	if len(invite.Body) > 0 && !isSDP(invite.ContentType) {
		c.warn("415", s.Refuse(415, "Unsupported Media Type", dialog.Header{Name: "Accept", Value: "application/sdp"}))
		return nil
	}
	if err := c.openMedia(s.Source()); err != nil {
		c.log().Error("no media for an incoming call", "error", err)
		c.warn("500", s.Refuse(500, "Server Internal Error"))
		return nil
	}
	var refusal error
	if len(invite.Body) > 0 {
		c.offer = invite.Body
		c.answer, refusal = c.makeAnswer(c.offer)
	}
	c.must(callstate.Invited, 0, "")
	if refusal != nil {
		c.unacceptable(refusal)
	}
	return c
}

// unacceptable refuses a waiting call whose offer cannot be answered.
func (c *Call) unacceptable(why error) {
	c.log().Warn("the offer cannot be answered", "error", why)
	c.must(callstate.Refuse, 488, "Not Acceptable Here")
}

// Offer is never asked of a call that came in.
func (c *Call) Offer(netip.Addr) ([]byte, error) { return nil, errors.New("no INVITE of ours") }

// What concerns only calls that we began.

// InviteSent implements dialog.Observer.
func (c *Call) InviteSent() {}

// Progressed implements dialog.Observer.
func (c *Call) Progressed(dialog.Answer) {}

// Accepted implements dialog.Observer.
func (c *Call) Accepted(dialog.Answer) []byte { return nil }

// AckSent implements dialog.Observer.
func (c *Call) AckSent() {}

// Declined implements dialog.Observer.
func (c *Call) Declined(dialog.Answer) {}

// Failed implements dialog.Observer.
func (c *Call) Failed(error) {}

// Acked takes the ACK of a 2xx of ours, and with it the answer when that 2xx
// held our offer: the INVITE, or a re-INVITE, came without one.
func (c *Call) Acked(body []byte) {
	if c.lateOffer != nil {
		c.lateOffer = nil
		if err := c.takeAnswer(body); err != nil {
			c.log().Warn("the answer to a late offer cannot be used", "error", err)
			c.unanswered()
		}
	}
	c.must(callstate.Acked, 0, "")
}

// unanswered gives up an offer whose answer cannot be used: a call that begins
// with it ends, another goes on as it was.
func (c *Call) unanswered() {
	c.negotiation.Rollback()
	if c.at.State == phone.StateConnecting {
		c.lastStatus, c.lastText = 488, "Not Acceptable Here"
		c.must(callstate.Hangup, 0, "")
	}
}

// AckMissing implements dialog.Observer: the far end never said ACK, to the
// answer of its INVITE or of its re-INVITE.
func (c *Call) AckMissing() {
	if c.at.State == phone.StateConfirmed {
		c.must(callstate.Hangup, 408, "ACK Missing")
		return
	}
	c.must(callstate.AckMissing, 408, "ACK Missing")
}

// Cancelled implements dialog.Observer.
func (c *Call) Cancelled() { c.must(callstate.Cancelled, 487, "Request Terminated") }

// Byed implements dialog.Observer.
func (c *Call) Byed() { c.must(callstate.Byed, 200, normalClearing) }

// Lost implements dialog.Observer.
func (c *Call) Lost(err error) {
	c.log().Warn("the call is lost", "error", err)
	status, text := 408, "Request Timeout"
	switch statusOf(err) {
	case 481:
		status, text = 481, "Call/Transaction Does Not Exist"
	case 503:
		status, text = 503, unavailable(err)
	}
	c.must(callstate.Lost, status, text)
}

// must steps where no state refuses the input: the network's words never are
// an error to us.
func (c *Call) must(in callstate.Input, status int, text string) {
	if err := c.step(in, status, text); err != nil {
		c.log().Error("impossible step", "error", err)
	}
}
