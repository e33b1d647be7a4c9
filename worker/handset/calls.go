package handset

import (
	"slices"

	"ringmaster/proto/phone"
	"ringmaster/worker/call"
	"ringmaster/worker/dialog"
)

// endedKept is how many ended calls the phone remembers.
const endedKept = 100

// maxCalls bounds the calls that a phone has at a time.
const maxCalls = 512

// calls are the calls of a phone: those that live, in the order in which they
// began, and what is known of those that ended.
type calls struct {
	live   []*call.Call
	ended  []phone.CallInfo // newest last
	ids    ids
	closed bool // the phone is leaving: no new calls
}

func (cs *calls) active() []*call.Call {
	var active []*call.Call
	for _, c := range cs.live {
		if c.Active() {
			active = append(active, c)
		}
	}
	return active
}

// pick finds the call that a command means: by id, else the first for which
// fits holds. what says what the command looks for.
func (h *Handset) pick(id *phone.CallID, fits func(*call.Call) bool, what string) (*call.Call, error) {
	for _, c := range h.calls.live {
		if id == nil && fits(c) || id != nil && c.ID() == *id {
			return c, nil
		}
	}
	if id == nil {
		return nil, phone.Errorf(phone.NotFound, "phone_id %q has no %s call", h.cfg.PhoneID, what)
	}
	for _, info := range h.calls.ended {
		if info.CallID == *id {
			return nil, phone.Errorf(phone.Precondition, "call %d is %v: it is over", *id, phone.StateDisconnected)
		}
	}
	return nil, notFound(*id)
}

func notFound(id phone.CallID) error { return phone.Errorf(phone.NotFound, "call %d not found", id) }

func (h *Handset) activeCall(id *phone.CallID) (*call.Call, error) {
	return h.pick(id, (*call.Call).Active, "active")
}

func (h *Handset) waitingCall(id *phone.CallID) (*call.Call, error) {
	return h.pick(id, (*call.Call).Waiting, "waiting")
}

// endedCall reports whether id is a call that is over.
func (h *Handset) endedCall(id *phone.CallID) (phone.CallInfo, bool) {
	if id != nil {
		for _, info := range h.calls.ended {
			if info.CallID == *id {
				return info, true
			}
		}
	}
	return phone.CallInfo{}, false
}

// infos are all calls: active first, then those that ended, newest first.
func (h *Handset) infos() []phone.CallInfo {
	infos := []phone.CallInfo{}
	for _, c := range h.calls.active() {
		infos = append(infos, c.Info())
	}
	for _, info := range slices.Backward(h.calls.ended) {
		infos = append(infos, info)
	}
	return infos
}

// incoming takes up an INVITE that begins a dialog.
func (h *Handset) incoming(s *dialog.Session, invite dialog.Invite) dialog.Observer {
	old, status, reason := h.replaced(invite)
	if status != 0 {
		_ = s.Refuse(status, reason) // the far end may try again without
		return nil
	}
	id, ok := h.calls.ids.next()
	if !ok || h.calls.closed || len(h.calls.live) >= maxCalls {
		h.log.Warn("an incoming call is refused", "no_call_ids", !ok, "closing", h.calls.closed)
		_ = s.Refuse(480, "Temporarily Unavailable") // the far end may try again
		return nil
	}
	c := call.Ring(h.env, id, s, invite)
	if c == nil {
		return nil
	}
	if c.Active() {
		h.calls.live = append(h.calls.live, c)
		h.callBegins()
	}
	if (h.cfg.AutoAnswer || old != nil) && c.Waiting() {
		// After the session knows its observer.
		h.loop.Defer(func() { h.autoAnswer(c, old) })
	} else {
		c.Alert()
	}
	return c
}

// autoAnswer answers a call that nobody is asked about; one that takes over
// another then ends that.
func (h *Handset) autoAnswer(c, old *call.Call) {
	if !c.Waiting() {
		return
	}
	if _, err := c.Answer(200); err != nil {
		h.log.Warn("auto-answer failed", "call_id", int64(c.ID()), "sip_call_id", c.Session().CallID(), "error", err)
		return
	}
	if old != nil {
		old.Hangup(func(bool, error) {}) // its far end has the new call
	}
}

// over moves a call to the ended ones; one that never was is forgotten.
func (h *Handset) over(c *call.Call) {
	h.calls.live = slices.DeleteFunc(h.calls.live, func(x *call.Call) bool { return x == c })
	if len(h.calls.live) == 0 {
		if k := h.forgetCallCapture(); k != nil {
			k.Stop(captureLinger)
		}
	}
	if c.State() == phone.StateNull {
		return
	}
	info := c.Info()
	h.calls.ended = append(h.calls.ended, info)
	if len(h.calls.ended) > endedKept {
		h.calls.ended = slices.Delete(h.calls.ended, 0, 1)
	}
	h.journal.Append(phone.Entry{Ended: &info})
}

// ids gives call ids from the blocks that were granted, in order.
type ids struct{ blocks []phone.Block }

func (i *ids) grant(b phone.Block) {
	if b.Count > 0 {
		i.blocks = append(i.blocks, b)
	}
}

// next gives the next id; false when every block is used up.
func (i *ids) next() (phone.CallID, bool) {
	if len(i.blocks) == 0 {
		return 0, false
	}
	b := &i.blocks[0]
	id := b.First
	b.First++
	if b.Count--; b.Count == 0 {
		i.blocks = i.blocks[1:]
	}
	return id, true
}
