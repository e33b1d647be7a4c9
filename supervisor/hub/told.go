package hub

import (
	"strings"

	"ringmaster/proto/phone"
)

// Told returns what is still on record of one call's events, and of those of
// its phone itself (phone.*), oldest first; SIP messages are in SIPLog. Events
// are shared: their Data is not to be written to.
func (h *Hub) Told(id phone.ID, c phone.CallID) []phone.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	var told []phone.Event
	wanted := func(r Record) bool {
		if r.PhoneID != id || r.Event == nil || strings.HasPrefix(r.Event.Type, "sip.") {
			return false
		}
		if of := r.Event.CallID; of != nil {
			return *of == c
		}
		return strings.HasPrefix(r.Event.Type, "phone.")
	}
	s, t := 0, 0
	for s < h.state.len() || t < h.trace.len() {
		var r Record
		if t >= h.trace.len() || s < h.state.len() && h.state.at(s).Position < h.trace.at(t).Position {
			r, s = h.state.at(s), s+1
		} else {
			r, t = h.trace.at(t), t+1
		}
		if wanted(r) {
			told = append(told, *r.Event)
		}
	}
	return told
}
