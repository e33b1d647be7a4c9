package console

import (
	"context"
	"slices"
	"strings"
	"sync"

	"ringmaster/proto/phone"
)

// How many events a wait can look back on, and how many texts get_messages.
const (
	recentKept = 1000
	inboxKept  = 100
)

// seen is an event with its place in the journal.
type seen struct {
	seq   uint64
	event *phone.Event
}

// recent is the newest events and texts, and how far a wait has looked: "do this, then
// wait for that after it" has no race. The zero value is ready.
type recent struct {
	mu     sync.Mutex
	events []seen
	inbox  []phone.Message
	from   uint64        // events up to here do not count any more
	added  chan struct{} // closed by the next event; nil while nobody waits
}

func (r *recent) add(e phone.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case e.Event != nil:
		r.events = keep(r.events, seen{e.Seq, e.Event}, recentKept)
	case e.Inbox != nil:
		r.inbox = keep(r.inbox, *e.Inbox, inboxKept)
		return
	default:
		return
	}
	if r.added != nil {
		close(r.added)
		r.added = nil
	}
}

// keep adds to a list that holds the newest few.
func keep[T any](list []T, e T, most int) []T {
	if len(list) == most {
		list = append(list[:0], list[1:]...)
	}
	return append(list, e)
}

// messages are the texts that came in, oldest first.
func (r *recent) messages() []phone.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.inbox)
}

// look makes the events after a journal position those that count.
func (r *recent) look(from uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from = max(r.from, from)
}

// wait gives the first event that counts and is of the type, and makes those
// after it the ones that count. A type that ends in * stands for all that begin
// so. The error is the context's.
func (r *recent) wait(ctx context.Context, eventType string) (*phone.Event, error) {
	for {
		event, added := r.first(eventType)
		if event != nil {
			return event, nil
		}
		select {
		case <-added:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// first is the event, or else what tells that there is another.
func (r *recent) first(eventType string) (*phone.Event, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	begin, many := strings.CutSuffix(eventType, "*")
	for _, s := range r.events {
		if s.seq > r.from && (s.event.Type == eventType || many && strings.HasPrefix(s.event.Type, begin)) {
			r.from = s.seq
			return s.event, nil
		}
	}
	if r.added == nil {
		r.added = make(chan struct{})
	}
	return nil, r.added
}
