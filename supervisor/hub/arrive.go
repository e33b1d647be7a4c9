package hub

import (
	"context"

	"ringmaster/proto/phone"
)

// Arrived waits until everything has come in that the phone had in its journal
// when it accepted the command of a mark, or until another worker has taken
// the place of that one. cursor is Outcome.Cursor. Its only error is that of
// ctx.
func (h *Hub) Arrived(ctx context.Context, m Mark, cursor uint64) error {
	for {
		wake, there := h.hasArrived(m, cursor)
		if there {
			return nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (h *Hub) hasArrived(m Mark, cursor uint64) (wake <-chan struct{}, there bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := h.phones[m.id]
	switch {
	case known == nil:
		there = cursor == 0
	case m.incarnation > 0 && known.incarnation > m.incarnation:
		there = true
	default:
		there = known.seen >= cursor
	}
	if there {
		return nil, true
	}
	return waiting(&h.arrived), false
}

// arrive notes how far the journal of a phone's worker has come in.
func (h *Hub) arrive(m *memory, incarnation int, e phone.Entry) {
	if incarnation > m.incarnation {
		m.incarnation, m.seen = incarnation, 0
	}
	if incarnation == m.incarnation {
		m.seen = max(m.seen, e.Seq)
	}
	wake(&h.arrived)
}
