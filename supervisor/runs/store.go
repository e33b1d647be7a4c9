package runs

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"ringmaster/proto/phone"
	"ringmaster/scenario"
)

// The bounds of a Store.
const (
	maxGoing      = 32      // runs that go on at one time
	maxFinished   = 100     // runs that are over and still known
	maxRemembered = 200_000 // entries of the timelines of those, in all
)

// prefix begins every run's id; a number that rises follows.
const prefix = "run_"

// Store runs scenarios under ids, and keeps what came of the latest of them.
// All of its methods may be called by several goroutines.
type Store struct {
	runner *Runner
	base   context.Context //nolint:containedctx // of the runs that no request waits for
	stop   context.CancelCauseFunc
	going  sync.WaitGroup

	mu      sync.Mutex
	started int    // how many ever
	runs    []*Run // in the order in which they began
	ending  bool
}

// ErrEnding is why runs end when the server does.
var ErrEnding = errors.New("the server is ending")

// NewStore makes a store. Stop and Wait end what it runs.
func NewStore(r *Runner) *Store {
	s := &Store{runner: r}
	s.base, s.stop = context.WithCancelCause(context.Background())
	return s
}

// Start begins a run that goes on whatever becomes of the caller, until it is
// over, Cancel, or Stop. An error says why it cannot begin.
func (s *Store) Start(sc scenario.Scenario, o Options) (*Run, error) {
	return s.StartIn(s.base, sc, o)
}

// StartIn begins a run that also ends when ctx does.
func (s *Store) StartIn(ctx context.Context, sc scenario.Scenario, o Options) (*Run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return nil, ErrEnding
	}
	if n := s.countGoing(); n >= maxGoing {
		return nil, phone.Errorf(phone.Exhausted, "%d runs are going on, and no more can: wait for one with get_run, or end one with cancel_run", n)
	}
	s.started++
	r := newRun(prefix+strconv.Itoa(s.started), sc)
	ctx, r.cancel = context.WithCancelCause(ctx)
	release := context.AfterFunc(s.base, func() { r.cancel(context.Cause(s.base)) })
	s.runs = append(s.runs, r)
	o.progress = r.add
	s.going.Go(func() {
		result := s.runner.Run(ctx, sc, o)
		release()
		r.cancel(nil)
		r.finish(result)
		s.forget()
	})
	return r, nil
}

func (s *Store) countGoing() int {
	n := 0
	for _, r := range s.runs {
		if !r.Over() {
			n++
		}
	}
	return n
}

// forget drops what is beyond the bounds, the oldest runs first. The latest
// that is over stays, however long its timeline.
func (s *Store) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	finished, entries := 0, 0
	for i := len(s.runs) - 1; i >= 0; i-- {
		r := s.runs[i]
		if !r.Over() {
			continue
		}
		finished++
		entries += r.length()
		if finished > maxFinished || finished > 1 && entries > maxRemembered {
			s.runs = slices.Delete(s.runs, i, i+1)
		}
	}
}

// List gives the runs that are known, in the order in which they began.
func (s *Store) List() []*Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.runs)
}

// Get finds a run.
func (s *Store) Get(id string) (*Run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.runs, func(r *Run) bool { return r.id == id }); i >= 0 {
		return s.runs[i], nil
	}
	if s.known(id) {
		return nil, phone.Errorf(phone.NotFound, "run %s is no longer kept: the newest %d runs that are over are", id, maxFinished)
	}
	return nil, phone.Errorf(phone.NotFound, "run_id %q not found; list_runs names those that there are", clip(id))
}

// known says whether there ever was a run of this id.
func (s *Store) known(id string) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(id, prefix))
	return err == nil && id == prefix+strconv.Itoa(n) && n >= 1 && n <= s.started
}

func clip(id string) string {
	const most = 64
	return id[:min(len(id), most)]
}

// Stop cancels every run and lets none begin any more. It does not wait.
func (s *Store) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	s.stop(ErrEnding)
}

// Wait waits until no run goes on, or ctx ends.
func (s *Store) Wait(ctx context.Context) {
	done := make(chan struct{})
	go func() { s.going.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
