package hub

import "ringmaster/proto/phone"

// Mark is the place of one command in the common order. The journals of
// different phones reach the hub side by side, so no position alone divides
// "before the command" from "after": what another phone did because of the
// command may come in before what this phone did just before it. A mark does:
// it is taken before the command is given, and hides from a reader that
// begins at it what the commanded phone had done before it accepted.
type Mark struct {
	position    uint64
	id          phone.ID
	incarnation int
}

type mark struct {
	Mark
	accepted uint64 // the worker's journal position when it accepted
}

// hides reports whether r happened before the command that m marks.
func (m mark) hides(r Record) bool {
	return r.Seq != 0 && r.Seq <= m.accepted && r.PhoneID == m.id && r.Incarnation == m.incarnation && r.Gap == nil
}

// Mark takes the place of a command that is about to be given to id.
func (h *Hub) Mark(id phone.ID) Mark {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	m := Mark{position: h.last, id: id}
	if known := h.phones[id]; known != nil {
		m.incarnation = known.incarnation
	}
	return m
}

// Accepted completes the mark with Outcome.Cursor and returns the position to
// read after: every entry that the command caused comes after it, on whatever
// phone, and nothing that the commanded phone did before does.
func (h *Hub) Accepted(m Mark, cursor uint64) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if cursor > 0 {
		h.marks[m.position] = mark{Mark: m, accepted: cursor}
		h.markOrder.push(m.position, func(old uint64) { delete(h.marks, old) })
	}
	return m.position
}

// Position is the mark's own place, for a command that was not accepted by a
// worker's journal.
func (m Mark) Position() uint64 { return m.position }
