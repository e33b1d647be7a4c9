package handset

import (
	"slices"

	"ringmaster/proto/phone"
	"ringmaster/worker/call"
	"ringmaster/worker/codec"
	"ringmaster/worker/dialog"
)

// settled answers a command on one call when its matter is decided.
func (h *Handset) settled(c *call.Call, done reply) func(already bool, err error) {
	return func(already bool, err error) {
		if err != nil {
			done(phone.Outcome{}, err)
			return
		}
		done(phone.Outcome{Call: &phone.CallOutcome{CallID: c.ID(), State: c.State(), Already: already}}, nil)
	}
}

// onCallLater performs a command that ends with an answer of the far end.
func (h *Handset) onCallLater(id *phone.CallID, done reply, act func(*call.Call, func(bool, error))) {
	c, err := h.activeCall(id)
	if err != nil {
		done(phone.Outcome{}, err)
		return
	}
	act(c, h.settled(c, done))
}

func (h *Handset) setCodecs(cmd phone.SetCodecs, done reply) {
	specs, err := codec.Select(cmd.Codecs)
	if err != nil {
		done(phone.Outcome{}, phone.Errorf(phone.Invalid, "%v", err))
		return
	}
	h.onCallLater(cmd.CallID, done, func(c *call.Call, settled func(bool, error)) {
		c.SetCodecs(specs, cmd.Codecs != nil, func(err error) { settled(false, err) })
	})
}

func (h *Handset) blindTransfer(cmd phone.BlindTransfer, done reply) {
	dest, err := dialog.ParseURI("dest_uri", cmd.DestURI)
	if err != nil {
		done(phone.Outcome{}, err)
		return
	}
	h.onCallLater(cmd.CallID, done, func(c *call.Call, settled func(bool, error)) {
		c.Transfer(dest, nil, func(err error) { settled(false, err) })
	})
}

func (h *Handset) attendedTransfer(cmd phone.AttendedTransfer, done reply) {
	fail := func(err error) { done(phone.Outcome{}, err) }
	var first, second *call.Call
	var err error
	if cmd.CallID == nil && cmd.DestCallID == nil {
		active := h.calls.active()
		if len(active) < 2 {
			fail(phone.Errorf(phone.Precondition, "phone_id %q has %d active calls: an attended transfer takes two", h.cfg.PhoneID, len(active)))
			return
		}
		first, second = active[0], active[1]
	} else {
		if cmd.CallID == nil || cmd.DestCallID == nil {
			fail(phone.Errorf(phone.Invalid, "give both call_id and dest_call_id, or neither"))
			return
		}
		if first, err = h.activeCall(cmd.CallID); err == nil {
			second, err = h.activeCall(cmd.DestCallID)
		}
		if err != nil {
			fail(err)
			return
		}
		if first == second {
			fail(phone.Errorf(phone.Invalid, "call_id and dest_call_id are the same call"))
			return
		}
	}
	first.Transfer(dialog.URI{}, second, func(err error) { h.settled(first, done)(false, err) })
}

// conferenceMost is how many calls one conference can have.
const conferenceMost = 8

func (h *Handset) conference(cmd phone.Conference, done reply) {
	fail := func(err error) { done(phone.Outcome{}, err) }
	ids := slices.Clone(cmd.CallIDs)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) < 2 || len(ids) != len(cmd.CallIDs) || len(ids) > conferenceMost {
		fail(phone.Errorf(phone.Invalid, "call_ids must name two to %d different calls of this phone", conferenceMost))
		return
	}
	var calls []*call.Call
	for _, id := range ids {
		c, err := h.activeCall(&id)
		if err != nil {
			fail(err)
			return
		}
		calls = append(calls, c)
	}
	if err := call.Conference(h.env, calls); err != nil {
		fail(err)
		return
	}
	done(phone.Outcome{Participants: len(calls)}, nil)
}

// referred calls whom the far end of a call asks us to call, and reports to it
// how that goes.
func (h *Handset) referred(c *call.Call, r dialog.Referral) (status int, reason string) {
	id, ok := h.calls.ids.next()
	if !ok || h.calls.closed || len(h.calls.live) >= maxCalls {
		return 480, "Temporarily Unavailable"
	}
	headers := r.Headers
	if r.ReferredBy != "" {
		headers = append(headers, dialog.Header{Name: "Referred-By", Value: r.ReferredBy})
	}
	to := r.To.String()
	h.emitCall("transfer.accepted", c.ID(), map[string]any{"status": int64(202), "reason": "Accepted", "transfer_to": to, "new_call_id": int64(id)})
	// After the 202 and its first NOTIFY have been sent.
	h.loop.Defer(func() {
		next := call.Dial(h.env, id, r.To, headers, func(err error) {
			if err != nil {
				h.log.Warn("a referred call could not be made", "call_id", int64(id), "error", err)
				r.Report(503, "Service Unavailable")
			}
		})
		next.ReportTo(r.Report)
		h.calls.live = append(h.calls.live, next)
	})
	return 0, ""
}

// replaced is the call that an INVITE with Replaces is to take over. A status
// refuses the INVITE (RFC 3891 §3).
func (h *Handset) replaced(invite dialog.Invite) (old *call.Call, status int, reason string) {
	switch {
	case len(invite.Replaces) == 0:
		return nil, 0, ""
	case len(invite.Replaces) > 1:
		return nil, 400, "More Than One Replaces"
	}
	s, earlyOnly := h.endpoint.Find(invite.Replaces[0])
	if s == nil {
		return nil, 481, "Call/Transaction Does Not Exist"
	}
	for _, c := range h.calls.live {
		switch {
		case c.Session() != s || c.State() != phone.StateConfirmed:
		case earlyOnly:
			return nil, 486, "Busy Here"
		default:
			return c, 0, ""
		}
	}
	return nil, 481, "Call/Transaction Does Not Exist"
}
