package hub

import (
	"context"
	"slices"
	"time"

	"ringmaster/proto/phone"
)

// Dialog names the dialog that a SIP message belongs to, as the phone sees it.
type Dialog struct {
	SIPCallID string
	// LocalTag is the phone's own tag; "" when the message has none, as an
	// INVITE that comes in.
	LocalTag string
	// MayBegin says that the message may be older than its call: until its
	// first event has come in, a call is not known.
	MayBegin bool
}

// callKnownWithin is how long after an INVITE its call may become known. When
// no call comes of it, readers of sip.* events wait that long for nothing.
const callKnownWithin = 200 * time.Millisecond

// describe makes the events of the SIP messages among records.
func (h *Hub) describe(ctx context.Context, q Query, records []Record) {
	for i, r := range records {
		if r.SIP == nil {
			continue
		}
		e := q.SIP(r.PhoneID, *r.SIP, func(d Dialog) *phone.CallID { return h.callOf(ctx, r, d) })
		records[i].Event = &e
	}
}

// callOf is the call of the record's phone whose dialog it is; nil when there
// is none.
func (h *Hub) callOf(ctx context.Context, r Record, d Dialog) *phone.CallID {
	var late <-chan time.Time
	for {
		id, arrival := h.knownCall(r.PhoneID, d)
		left := callKnownWithin - time.Since(r.SIP.Time)
		if id != nil || !d.MayBegin || left <= 0 {
			return id
		}
		if late == nil {
			timer := time.NewTimer(left)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-arrival:
		case <-late:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// knownCall looks a call up. Without one, arrival is closed when there may be.
func (h *Hub) knownCall(id phone.ID, d Dialog) (call *phone.CallID, arrival <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.phones[id]; m != nil {
		if i := slices.IndexFunc(m.sipIDs[d.SIPCallID], d.isOf); i >= 0 {
			found := m.sipIDs[d.SIPCallID][i].id
			return &found, nil
		}
	}
	return nil, waiting(&h.arrived)
}

// isOf says whether c has the dialog. Without a tag it is that of the call that
// came in: what the phone sends for a call of its own always has its tag. A
// call whose tag is not known is found by the Call-ID alone.
func (d Dialog) isOf(c sipCall) bool {
	switch {
	case c.localTag == "":
		return true
	case d.LocalTag == "":
		return c.inbound
	default:
		return c.localTag == d.LocalTag
	}
}

// sipCallOf reads what an event says of its call's dialog.
func sipCallOf(id phone.CallID, data map[string]any) sipCall {
	sipCallID, _ := data["sip_call_id"].(string)
	tag, _ := data["local_tag"].(string)
	return sipCall{id: id, inbound: data["direction"] == string(phone.Inbound), header: sipCallID, localTag: tag}
}

// noteSIP remembers the dialog of a call.
func (m *memory) noteSIP(c sipCall) {
	if _, known := m.sipCalls[c.id]; known || c.header == "" {
		return
	}
	m.sipCalls[c.id] = c
	m.sipIDs[c.header] = append(m.sipIDs[c.header], c)
	m.sipOrder.push(c, m.forgetSIP)
}

func (m *memory) forgetSIP(old sipCall) {
	delete(m.sipCalls, old.id)
	left := slices.DeleteFunc(m.sipIDs[old.header], func(c sipCall) bool { return c.id == old.id })
	if len(left) == 0 {
		delete(m.sipIDs, old.header)
		return
	}
	m.sipIDs[old.header] = left
}
