package call

import (
	"errors"

	"ringmaster/proto/phone"
	"ringmaster/worker/callstate"
	"ringmaster/worker/dialog"
)

// Transfer asks the far end to call target instead of us; with other, to take
// over that call of ours (RFC 5589). done is called once, when the REFER is
// accepted or refused; the rest comes as transfer.* events.
func (c *Call) Transfer(target dialog.URI, other *Call, done func(error)) {
	if c.at.State != phone.StateConfirmed {
		done(c.wrongState("transferred: it must be confirmed"))
		return
	}
	replaces := ""
	if other != nil {
		if other.at.State != phone.StateConfirmed {
			done(other.wrongState("the target of a transfer: it must be confirmed"))
			return
		}
		target, replaces = other.session.Target(), other.session.Replaces()
	}
	c.transferTo = target.String()
	c.session.Refer(target, replaces, func(a dialog.Answer, err error) {
		if err == nil && a.Status >= 300 {
			e := phone.Errorf(phone.Refused, "the far end refused the transfer: %d %s", a.Status, a.Reason)
			e.Status = a.Status
			err = e
		}
		if err != nil {
			c.emitTransfer("failed", statusOf(err), err.Error())
			done(named(c.id, err))
			return
		}
		c.emitTransfer("accepted", a.Status, a.Reason)
		done(nil)
	})
}

// Notified takes news of a transfer that we asked for. After its success the
// call is over: if the far end has not said so, we do.
func (c *Call) Notified(status int, reason string, over bool) {
	switch {
	case status >= 300 || over && status < 200:
		c.emitTransfer("failed", status, reason)
	case status >= 200:
		c.emitTransfer("succeeded", status, reason)
		c.must(callstate.Hangup, 200, normalClearing)
	default:
		c.emitTransfer("progress", status, reason)
	}
}

func (c *Call) emitTransfer(what string, status int, reason string) {
	c.env.Emit("transfer."+what, c.id, map[string]any{
		"status": int64(status), "reason": reason, "transfer_to": c.transferTo,
	})
}

// Referred takes the far end's wish that we call somebody.
func (c *Call) Referred(r dialog.Referral) (status int, reason string) {
	return c.env.Referred(c, r)
}

// ReportTo makes the call tell report of every answer to its INVITE.
func (c *Call) ReportTo(report func(status int, reason string)) { c.report = report }

// statusOf is the SIP status that an error stands for, 0 when it has none.
func statusOf(err error) int {
	var e *phone.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}
