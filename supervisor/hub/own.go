package hub

import "ringmaster/proto/phone"

// Publish takes an event that no worker's journal holds: a scenario's own
// (scenario.*, user.*). It may name a phone.
func (h *Hub) Publish(e phone.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := Record{PhoneID: e.PhoneID, Event: &e}
	if m := h.phones[e.PhoneID]; m != nil {
		r.Incarnation = m.incarnation
	}
	h.publish(r)
}
