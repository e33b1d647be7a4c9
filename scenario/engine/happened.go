package engine

import "ringmaster/proto/phone"

// happened is one event of the run's history.
type happened struct {
	event phone.Event
	// record is where it stands in the feed; nil for the run's own events.
	record *Record
	index  int // in the history
	chain  int // how many user events in a row led to it
	// raisedBy is the sequence that raised it; nil for events of phones.
	raisedBy *sequence
}

// mark divides what was before a step from what came after it.
//
// index and position are taken before the step begins, so everything that the
// step causes is after the mark. What another reader of the journal could not
// yet have seen at that moment, but the phone had done before it accepted the
// command, is told by its own numbering: cursor.
type mark struct {
	index       int
	position    uint64
	phone       phone.ID // that was commanded, or ""
	cursor      uint64   // Outcome.Cursor; 0 when not known
	incarnation int      // of that phone when the step began; 0 when not known
}

// before says whether h came before the mark.
func (m mark) before(h happened) bool {
	if h.index < m.index {
		return true
	}
	if h.record == nil {
		return false
	}
	if h.record.Position <= m.position {
		return true
	}
	return m.cursor != 0 && h.record.PhoneID == m.phone && h.record.Seq != 0 && h.record.Seq <= m.cursor &&
		(m.incarnation == 0 || m.incarnation == h.record.Incarnation)
}
