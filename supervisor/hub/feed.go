package hub

import (
	"cmp"
	"context"
	"sort"
	"strings"

	"ringmaster/proto/phone"
)

// Record is one event of one phone at its place in the common order. Exactly
// one of Event and Gap is set for a reader.
type Record struct {
	// Position rises with every record, though not always by one.
	Position    uint64
	PhoneID     phone.ID // "" for a Gap of the hub's own
	Incarnation int
	Seq         uint64 // in the worker's journal; 0 is the fleet's own word
	Event       *phone.Event
	// Gap stands for what was lost: of the worker's journal when PhoneID is
	// set, of the hub's positions when it is "".
	Gap *phone.Gap
	// SIP is the message that Event is made of when somebody reads it.
	SIP *phone.SIPMessage
}

// size is about how many bytes of memory the record holds.
func (r Record) size() int { return phone.Entry{Event: r.Event, SIP: r.SIP, Gap: r.Gap}.Size() }

// Query says what a reader wants.
type Query struct {
	After  uint64 // the position already seen
	Mark   uint64 // the cursor of the command that the reader began at; 0 means After
	Max    int    // at most so many records; 0 means 256
	Traces bool   // sip.* and media.* events too
	// SIP makes the sip.* events; without it there are none.
	SIP Describer
}

// Describer makes the event of a phone's SIP message. call says which call of
// that phone has the message; nil, none.
type Describer func(id phone.ID, m phone.SIPMessage, call func(Dialog) *phone.CallID) phone.Event

const defaultBatch = 256

// isTrace tells the records that come by the packet from those that change
// something: the first have a ring of their own, so that they never overwrite
// the second.
func (r Record) isTrace() bool {
	return r.SIP != nil || r.Event != nil && (strings.HasPrefix(r.Event.Type, "sip.") || strings.HasPrefix(r.Event.Type, "media."))
}

// publish gives r its position and wakes those who read its kind. The lock is
// held.
func (h *Hub) publish(r Record) {
	h.last++
	r.Position = h.last
	if r.isTrace() {
		h.trace.push(r, func(old Record) { h.traceLost = old.Position })
	} else {
		h.state.push(r, func(old Record) { h.stateLost = old.Position })
		wake(&h.changed)
	}
	wake(&h.traced)
}

// wake tells everybody who waits for c.
func wake(c *chan struct{}) {
	if *c != nil {
		close(*c)
		*c = nil
	}
}

// waiting is what wake closes.
func waiting(c *chan struct{}) <-chan struct{} {
	if *c == nil {
		*c = make(chan struct{})
	}
	return *c
}

// Position is the newest position: what happens from now on has a higher one.
func (h *Hub) Position() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// Read returns the records after a position, oldest first. It waits for at
// least one; its only error is that of ctx. Records that were overwritten
// before they were read come as one Gap, first.
func (h *Hub) Read(ctx context.Context, q Query) ([]Record, error) {
	if q.Max <= 0 {
		q.Max = defaultBatch
	}
	for {
		records, wake := h.take(q)
		if len(records) > 0 {
			h.describe(ctx, q, records)
			return records, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Wait returns the first record of q that match accepts; q.Max does not count.
// A Gap that hides what may have matched is offered to match like any record.
func (h *Hub) Wait(ctx context.Context, q Query, match func(Record) bool) (Record, error) {
	q.Max, q.Mark = 0, cmp.Or(q.Mark, q.After)
	for {
		records, err := h.Read(ctx, q)
		if err != nil {
			return Record{}, err
		}
		for _, r := range records {
			if match(r) {
				return r, nil
			}
			q.After = r.Position
		}
	}
}

// take collects what is there for q. With nothing there, wake is closed when
// there may be. What a mark hides from its reader is skipped.
func (h *Hub) take(q Query) (found []Record, wake <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	skip := h.marks[cmp.Or(q.Mark, q.After)]
	lost := h.stateLost
	if q.Traces {
		lost = max(lost, h.traceLost)
	}
	if lost > q.After {
		found = append(found, Record{Position: lost, Gap: &phone.Gap{From: q.After + 1, To: lost}})
		q.After = lost
	}
	s, t := firstAfter(h.state, q.After), h.trace.len()
	if q.Traces {
		t = firstAfter(h.trace, q.After)
	}
	for len(found) < q.Max && (s < h.state.len() || t < h.trace.len()) {
		var r Record
		if t >= h.trace.len() || s < h.state.len() && h.state.at(s).Position < h.trace.at(t).Position {
			r, s = h.state.at(s), s+1
		} else {
			r, t = h.trace.at(t), t+1
		}
		if !skip.hides(r) && (r.SIP == nil || q.SIP != nil) {
			found = append(found, r)
		}
	}
	switch {
	case len(found) > 0:
	case q.Traces:
		wake = waiting(&h.traced)
	default:
		wake = waiting(&h.changed)
	}
	return found, wake
}

func firstAfter(r *ring[Record], position uint64) int {
	return sort.Search(r.len(), func(i int) bool { return r.at(i).Position > position })
}
