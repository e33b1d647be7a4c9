package hub

import (
	"sort"

	"ringmaster/proto/phone"
)

// Owner returns the phone that has, or has had, call c.
func (h *Hub) Owner(c phone.CallID) (phone.ID, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, m := range h.phones {
		if m.has(c) {
			return id, true
		}
	}
	return "", false
}

// NoteCall remembers that c is id's, for a call that is known from a command's
// outcome before its first event has come in.
func (h *Hub) NoteCall(id phone.ID, c phone.CallID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.memory(id).note(c)
}

// History returns the phone's ended calls, oldest first.
func (h *Hub) History(id phone.ID) []phone.CallInfo {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.phones[id]; m != nil {
		return m.ended.all()
	}
	return nil
}

// Ended returns the last knowledge of an ended call of id.
func (h *Hub) Ended(id phone.ID, c phone.CallID) (phone.CallInfo, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.phones[id]
	if m == nil {
		return phone.CallInfo{}, false
	}
	for i := m.ended.len() - 1; i >= 0; i-- {
		if info := m.ended.at(i); info.CallID == c {
			return info, true
		}
	}
	return phone.CallInfo{}, false
}

// SIPCallID is the Call-ID header of a call, as far as it is known: that of
// every call that is still in the SIP log.
func (h *Hub) SIPCallID(c phone.CallID) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.phones {
		if known, ok := m.sipCalls[c]; ok {
			return known.header, true
		}
	}
	return "", false
}

// end keeps the final state of a call.
func (m *memory) end(info phone.CallInfo) {
	m.note(info.CallID)
	m.noteSIP(sipCall{id: info.CallID, inbound: info.Direction == phone.Inbound, header: info.SIPCallID})
	m.ended.push(info, nil)
}

// span is a run of call ids, both ends included.
type span struct{ first, last phone.CallID }

// note remembers that the phone has had call c. Ids of a block are given one
// after the other, so that a few spans hold them all.
func (m *memory) note(c phone.CallID) {
	i := sort.Search(len(m.known), func(i int) bool { return m.known[i].last >= c-1 })
	if i == len(m.known) || m.known[i].first > c+1 {
		m.known = append(m.known, span{})
		copy(m.known[i+1:], m.known[i:])
		m.known[i] = span{c, c}
		return
	}
	s := &m.known[i]
	s.first, s.last = min(s.first, c), max(s.last, c)
	if i+1 < len(m.known) && m.known[i+1].first == s.last+1 {
		s.last = m.known[i+1].last
		m.known = append(m.known[:i+1], m.known[i+2:]...)
	}
}

func (m *memory) has(c phone.CallID) bool {
	i := sort.Search(len(m.known), func(i int) bool { return m.known[i].last >= c })
	return i < len(m.known) && m.known[i].first <= c
}
