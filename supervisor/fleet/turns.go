package fleet

import (
	"context"
	"sync"

	"ringmaster/proto/phone"
)

// turns lets those who change the same phones go one after the other, and
// those who change different ones at the same time. The zero value is ready.
type turns struct {
	mu      sync.Mutex
	busy    map[phone.ID]bool
	all     bool
	changed chan struct{} // closed when somebody is done; nil while nobody waits
}

// take waits for the turn on the given phones, on every phone when there are
// none, and returns what ends it. The error is the context's.
func (t *turns) take(ctx context.Context, ids ...phone.ID) (done func(), err error) {
	for {
		t.mu.Lock()
		if t.free(ids) {
			t.mark(ids, true)
			t.mu.Unlock()
			return func() { t.release(ids) }, nil
		}
		if t.changed == nil {
			t.changed = make(chan struct{})
		}
		changed := t.changed
		t.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (t *turns) free(ids []phone.ID) bool {
	if t.all || len(ids) == 0 && len(t.busy) > 0 {
		return false
	}
	for _, id := range ids {
		if t.busy[id] {
			return false
		}
	}
	return true
}

func (t *turns) mark(ids []phone.ID, taken bool) {
	if len(ids) == 0 {
		t.all = taken
	}
	if t.busy == nil {
		t.busy = map[phone.ID]bool{}
	}
	for _, id := range ids {
		if taken {
			t.busy[id] = true
		} else {
			delete(t.busy, id)
		}
	}
}

func (t *turns) release(ids []phone.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mark(ids, false)
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}
