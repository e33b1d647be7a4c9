package hub

import (
	"sync"

	"ringmaster/proto/phone"
)

// How much is kept of each phone, the newest first: so many, but not more bytes.
const (
	SIPLogBound  = 5000
	HistoryBound = 100
	InboxBound   = 100

	sipLogBytes  = 16 << 20
	historyBytes = 1 << 20
	inboxBytes   = 2 << 20
	sipCallBytes = 1 << 20
)

// How many events of all phones together are kept for readers, and how many
// bytes of each of the two kinds.
const (
	stateBound = 32768
	traceBound = 32768
	eventBytes = 64 << 20
	markBound  = 4096
)

// Hub holds it all. Its methods may be called from any goroutine.
type Hub struct {
	mu      sync.Mutex
	last    uint64 // the newest position given
	state   *ring[Record]
	trace   *ring[Record]
	phones  map[phone.ID]*memory
	changed chan struct{} // closed at the next record that is no trace; nil when nobody waits
	traced  chan struct{} // closed at the next record; nil when nobody waits
	arrived chan struct{} // closed at the next entry of any kind; nil when nobody waits

	stateLost, traceLost uint64 // the newest position overwritten in each

	marks     map[uint64]mark
	markOrder *ring[uint64] // their positions, in order of completion
}

// memory is what is kept of one phone_id.
type memory struct {
	incarnation int
	seen        uint64 // Seq of the newest entry of that incarnation
	sip         *ring[phone.SIPMessage]
	ended       *ring[phone.CallInfo]
	inbox       *ring[phone.Message]
	known       []span
	sipCalls    map[phone.CallID]sipCall // the newest calls
	sipIDs      map[string][]sipCall     // the same by Call-ID header; two when the phone has called itself
	sipOrder    *ring[sipCall]           // the same, oldest first
}

// sipCall is a call and its dialog.
type sipCall struct {
	id       phone.CallID
	inbound  bool
	header   string // its Call-ID
	localTag string // "" when it is not known
}

func (c sipCall) size() int { return len(c.header) + len(c.localTag) }

// New makes an empty hub.
func New() *Hub { return newBounded(stateBound, traceBound, markBound) }

func newBounded(state, trace, marks int) *Hub {
	return &Hub{
		state:     newRing(state, eventBytes, Record.size),
		trace:     newRing(trace, eventBytes, Record.size),
		phones:    make(map[phone.ID]*memory),
		marks:     make(map[uint64]mark),
		markOrder: newRing(marks, markBound, func(uint64) int { return 1 }),
	}
}

// Append takes one entry of a phone's journal. incarnation rises with every
// worker that the phone has had; an entry whose Seq is 0 is the fleet's own
// word about the phone.
func (h *Hub) Append(id phone.ID, incarnation int, e phone.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.memory(id)
	h.arrive(m, incarnation, e)
	switch {
	case e.SIP != nil:
		m.sip.push(*e.SIP, nil)
		h.publish(Record{PhoneID: id, Incarnation: incarnation, Seq: e.Seq, SIP: e.SIP})
	case e.Inbox != nil:
		m.inbox.push(*e.Inbox, nil)
	case e.Ended != nil:
		m.end(*e.Ended)
	case e.Event != nil:
		if e.Event.CallID != nil {
			m.note(*e.Event.CallID)
			m.noteSIP(sipCallOf(*e.Event.CallID, e.Event.Data))
		}
		h.publish(Record{PhoneID: id, Incarnation: incarnation, Seq: e.Seq, Event: e.Event})
	case e.Gap != nil:
		h.publish(Record{PhoneID: id, Incarnation: incarnation, Seq: e.Seq, Gap: e.Gap})
	}
}

// SIPLog returns the phone's SIP messages, oldest first. The Raw bytes are
// shared: they are not to be written to.
func (h *Hub) SIPLog(id phone.ID) []phone.SIPMessage {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.phones[id]; m != nil {
		return m.sip.all()
	}
	return nil
}

// Inbox returns the SIP MESSAGEs that the phone received, oldest first.
func (h *Hub) Inbox(id phone.ID) []phone.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.phones[id]; m != nil {
		return m.inbox.all()
	}
	return nil
}

// Phones returns every phone_id that anything is kept of, in no order.
func (h *Hub) Phones() []phone.ID {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := make([]phone.ID, 0, len(h.phones))
	for id := range h.phones {
		ids = append(ids, id)
	}
	return ids
}

// memory returns what is kept of id, which it makes at first sight.
func (h *Hub) memory(id phone.ID) *memory {
	m := h.phones[id]
	if m == nil {
		m = &memory{
			sip:      newRing(SIPLogBound, sipLogBytes, phone.SIPMessage.Size),
			ended:    newRing(HistoryBound, historyBytes, phone.CallInfo.Size),
			inbox:    newRing(InboxBound, inboxBytes, phone.Message.Size),
			sipCalls: make(map[phone.CallID]sipCall),
			sipIDs:   make(map[string][]sipCall),
			sipOrder: newRing(SIPLogBound, sipCallBytes, sipCall.size), // every call in the log has a message there
		}
		h.phones[id] = m
	}
	return m
}
