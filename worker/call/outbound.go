package call

import (
	"net/netip"

	"ringmaster/proto/phone"
	"ringmaster/worker/callstate"
	"ringmaster/worker/dialog"
)

// outbound hears what becomes of a call that we began, up to its ACK; what
// follows is the same for every call.
type outbound struct {
	*Call
	sent func(error) // called once: the INVITE has left, or could not
}

// Dial begins a call. sent is called once: with nil when the INVITE has left,
// else with the reason; the call has then never been (Env.Over hears of it).
func Dial(env *Env, id phone.CallID, dest dialog.URI, headers []dialog.Header, sent func(error)) *Call {
	c := newCall(env, id)
	c.session = env.Endpoint.Invite(dest, headers, outbound{c, sent})
	return c
}

func (c outbound) Offer(source netip.Addr) ([]byte, error) { return c.makeOffer(source) }

func (c outbound) InviteSent() {
	c.must(callstate.Dial, 0, "")
	c.sent(nil)
}

func (c outbound) Progressed(a dialog.Answer) {
	if len(a.Body) > 0 {
		if err := c.takeAnswer(a.Body); err != nil {
			c.log().Warn("early media cannot be used", "error", err)
		}
	}
	c.must(callstate.Progressed, a.Status, a.Reason)
}

func (c outbound) Accepted(a dialog.Answer) (ack []byte) {
	err := c.takeFinalAnswer(a.Body)
	c.must(callstate.Accepted, a.Status, a.Reason)
	if err != nil {
		// The ACK must go out all the same; BYE follows it.
		c.log().Warn("the answer cannot be used", "error", err)
		c.lastStatus, c.lastText = 488, "Not Acceptable Here"
		c.must(callstate.Hangup, 0, "")
	}
	return nil
}

func (c outbound) AckSent() { c.must(callstate.AckSent, 0, "") }

func (c outbound) Declined(a dialog.Answer) {
	c.must(callstate.Declined, a.Status, a.Reason)
}

func (c outbound) Failed(err error) {
	if c.at.State == phone.StateNull {
		c.closeMedia()
		c.env.Over(c.Call)
		c.sent(err)
		return
	}
	status, text := 408, "Request Timeout"
	if statusOf(err) == 503 {
		status, text = 503, unavailable(err)
	}
	c.must(callstate.Declined, status, text)
}

// unavailable says why a request got nowhere, which counts as 503.
func unavailable(err error) string { return "Service Unavailable: " + err.Error() }
