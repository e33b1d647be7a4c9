package runs

import (
	"context"
	"errors"
	"sync"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario"
	"ringmaster/scenario/timeline"
)

// Entry is one line of a run's timeline.
type Entry = timeline.Entry

// Run is one run of a Store: it goes on, or is over.
type Run struct {
	id     string
	name   string
	phones []phone.ID
	began  time.Time
	cancel context.CancelCauseFunc
	over   chan struct{} // closed when result is there

	mu        sync.Mutex
	entries   []Entry       // so far; the result's once it is over
	news      chan struct{} // closed at the next entry; nil when nobody waits
	cancelled bool
	result    timeline.Result
}

func newRun(id string, sc scenario.Scenario) *Run {
	return &Run{id: id, name: sc.Name(), phones: sc.Phones(), began: time.Now(), over: make(chan struct{})}
}

// ID is the run's name among the runs of its store: "run_1".
func (r *Run) ID() string { return r.id }

// Name is the scenario's.
func (r *Run) Name() string { return r.name }

// Phones are those that the scenario lists.
func (r *Run) Phones() []phone.ID { return r.phones }

// Began is when the run was started.
func (r *Run) Began() time.Time { return r.began }

// Over says whether the run is over.
func (r *Run) Over() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

// Result is what the run came to; false while it goes on. It is not to be
// changed.
func (r *Run) Result() (timeline.Result, bool) {
	if !r.Over() {
		return timeline.Result{}, false
	}
	return r.result, true
}

// Entries gives the timeline from an index on. While the run goes on, the
// entry of an action does not say yet what came of it.
func (r *Run) Entries(from int) []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entries[min(max(from, 0), len(r.entries)):len(r.entries):len(r.entries)]
}

func (r *Run) length() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.entries)
}

// ErrCancelled is why a run ends that Cancel has ended.
var ErrCancelled = errors.New("cancel_run asked for it")

// Cancel ends the run: its actions are given up, the calls that it made are
// hung up. It answers at once; already says that the run is over or that its
// cancelling has begun before.
func (r *Run) Cancel() (already bool) {
	r.mu.Lock()
	already = r.cancelled || r.Over()
	r.cancelled = true
	r.mu.Unlock()
	r.cancel(ErrCancelled)
	return already
}

// Follow waits until the run is over or ctx ends, and tells every entry of
// the timeline, from an index on, as it comes. tell may be nil.
func (r *Run) Follow(ctx context.Context, from int, tell func(Entry)) error {
	for {
		entries, news := r.after(from)
		if tell != nil {
			for _, e := range entries {
				tell(e)
			}
		}
		from += len(entries)
		select {
		case <-news:
		case <-r.over:
			if len(r.Entries(from)) == 0 {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// after gives the entries from an index on, and what is closed when there are
// more.
func (r *Run) after(from int) ([]Entry, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.news == nil {
		r.news = make(chan struct{})
	}
	return r.entries[min(from, len(r.entries)):], r.news
}

// add takes an entry as it is put on the timeline. It never waits.
func (r *Run) add(e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, e)
	if r.news != nil {
		close(r.news)
		r.news = nil
	}
}

func (r *Run) finish(result timeline.Result) {
	r.mu.Lock()
	r.entries, r.result = result.Timeline, result
	r.mu.Unlock()
	close(r.over)
}
