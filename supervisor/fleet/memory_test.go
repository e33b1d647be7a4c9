package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/phoneproc"
	"ringmaster/tests/fakeworker"
)

// memory starts workers that live in this process.
type memory struct {
	knobs func(id phone.ID, n int) fakeworker.Knobs // of the n-th worker of a phone, from 1
	fail  func(id phone.ID, n int) error            // instead of starting it

	before  func(n int, e phone.Entry) error // called for each entry of the n-th worker before it is watched
	adopted bool                             // the first worker of each phone was started by somebody else

	refuse func(c phone.Command) error // instead of doing it

	undecided func(c phone.Command) <-chan struct{} // until it is closed, a command that was begun is undecided

	recordings string // the fleet's folder of recordings

	mu       sync.Mutex
	workers  map[phone.ID][]*memWorker
	pids     int
	starting int
	most     int  // starts under way at once
	gated    bool // starts wait for gate, which the test closes
	gate     chan struct{}
}

func (s *memory) Start(ctx context.Context, id phone.ID) (phoneproc.Worker, error) {
	s.mu.Lock()
	s.starting++
	s.most = max(s.most, s.starting)
	gate := s.gate
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.starting--; s.mu.Unlock() }()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.workers == nil {
		s.workers = map[phone.ID][]*memWorker{}
	}
	n := len(s.workers[id]) + 1
	k := fakeworker.Knobs{}
	if s.knobs != nil {
		k = s.knobs(id, n)
	}
	s.pids++
	w := &memWorker{Phone: fakeworker.New(k), s: s, n: n, pid: s.pids, adopted: s.adopted && n == 1, gone: make(chan struct{})}
	s.workers[id] = append(s.workers[id], w)
	if s.fail != nil {
		if err := s.fail(id, n); err != nil {
			w.end("never started")
			return nil, err
		}
	}
	return w, nil
}

// last is the newest worker of a phone.
func (s *memory) last(id phone.ID) *memWorker {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.workers[id]
	return all[len(all)-1]
}

// left lists the workers that are not gone.
func (s *memory) left() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for id, all := range s.workers {
		for _, w := range all {
			if !w.isGone() {
				out = append(out, fmt.Sprintf("%s/%d", id, w.pid))
			}
		}
	}
	return out
}

// memWorker is a fake phone that can die.
type memWorker struct {
	*fakeworker.Phone
	s        *memory
	n        int // of its phone's workers, from 1
	pid      int
	adopted  bool
	once     sync.Once
	gone     chan struct{}
	exit     phoneproc.Exit
	mu       sync.Mutex
	watches  []chan struct{} // closed when the Watch has ended
	got      atomic.Pointer[phone.Configuration]
	shutdown atomic.Pointer[phone.Shutdown]
}

func (w *memWorker) PID() int              { return w.pid }
func (w *memWorker) Adopted() bool         { return w.adopted }
func (w *memWorker) Gone() <-chan struct{} { return w.gone }
func (w *memWorker) Kill()                 { w.end("signal: killed") }

func (w *memWorker) Exit() phoneproc.Exit {
	if w.isGone() {
		return w.exit
	}
	return phoneproc.Exit{}
}

func (w *memWorker) isGone() bool {
	select {
	case <-w.gone:
		return true
	default:
		return false
	}
}

// end makes the worker be gone, its socket closed.
func (w *memWorker) end(status string) {
	w.once.Do(func() {
		w.exit = phoneproc.Exit{Status: status, Stderr: []string{"last words"}}
		if err := w.Phone.Release(); err != nil {
			panic(err)
		}
		close(w.gone)
	})
}

// alive gives a context that ends with the worker.
func (w *memWorker) alive(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-w.gone:
			cancel()
		case <-stop:
		}
	})
	return ctx, func() { close(stop); watch.Wait(); cancel() }
}

// dead replaces the error of a call that the worker's death cut short.
func (w *memWorker) dead(err error) error {
	if w.isGone() {
		return fmt.Errorf("%w: %w", phoneproc.ErrWorkerGone, phone.Errorf(phone.Gone, "gone"))
	}
	return err
}

func (w *memWorker) Configure(ctx context.Context, c phone.Configuration) (phone.Configured, error) {
	w.got.Store(&c)
	ctx, done := w.alive(ctx)
	defer done()
	configured, err := w.Phone.Configure(ctx, c)
	return configured, w.dead(err)
}

func (w *memWorker) Do(ctx context.Context, c phone.Command) (phone.Outcome, error) {
	if w.s.refuse != nil {
		if err := w.s.refuse(c); err != nil {
			return phone.Outcome{}, err
		}
	}
	ctx, done := w.alive(ctx)
	defer done()
	o, err := w.Phone.Do(ctx, c)
	return o, w.dead(err)
}

func (w *memWorker) Begin(ctx context.Context, c phone.Command) (phone.Pending, error) {
	o, err := w.Do(ctx, c)
	var decided <-chan struct{}
	if w.s.undecided != nil {
		decided = w.s.undecided(c)
	}
	return func() (phone.Outcome, error) {
		if decided != nil {
			select {
			case <-decided:
			case <-ctx.Done():
				return phone.Outcome{}, ctx.Err()
			}
		}
		return o, err
	}, nil
}

func (w *memWorker) Health(ctx context.Context) (phone.Health, error) {
	ctx, done := w.alive(ctx)
	defer done()
	h, err := w.Phone.Health(ctx)
	return h, w.dead(err)
}

var errDead = errors.New("dead")

func (w *memWorker) Watch(ctx context.Context, after uint64, each func(phone.Entry) error) error {
	ended := make(chan struct{})
	defer close(ended)
	w.mu.Lock()
	w.watches = append(w.watches, ended)
	w.mu.Unlock()
	ctx, done := w.alive(ctx)
	defer done()
	err := w.Phone.Watch(ctx, after, func(e phone.Entry) error {
		if w.isGone() {
			return errDead
		}
		if w.s.before != nil {
			if err := w.s.before(w.n, e); err != nil {
				return err
			}
		}
		return each(e)
	})
	if err == nil {
		return nil
	}
	return w.dead(err)
}

func (w *memWorker) Shutdown(ctx context.Context, s phone.Shutdown) error {
	w.shutdown.Store(&s)
	ctx, done := w.alive(ctx)
	defer done()
	err := w.Phone.Shutdown(ctx, s)
	w.mu.Lock()
	watches := slices.Clone(w.watches)
	w.mu.Unlock()
	if err == nil {
		for _, ended := range watches {
			<-ended
		}
	}
	w.end("exit status 0")
	return err
}

// log is a Sink that remembers.
type log struct {
	mu      sync.Mutex
	entries []logged
}

type logged struct {
	id          phone.ID
	incarnation int
	phone.Entry
}

func (l *log) Append(id phone.ID, incarnation int, e phone.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, logged{id, incarnation, e})
}

// lines writes a phone's entries as "incarnation:seq type".
func (l *log) lines(id phone.ID) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range l.entries {
		if e.id != id {
			continue
		}
		what := "?"
		switch {
		case e.Event != nil:
			what = e.Event.Type
		case e.Dialog != nil:
			what = fmt.Sprintf("dialog %s over=%v", e.Dialog.SIPCallID, e.Dialog.Over)
		case e.Ended != nil:
			what = fmt.Sprintf("ended %d", e.Ended.CallID)
		case e.Gap != nil:
			what = fmt.Sprintf("gap %d-%d", e.Gap.From, e.Gap.To)
		}
		out = append(out, fmt.Sprintf("%d:%d %s", e.incarnation, e.Seq, what))
	}
	return out
}

// find returns the newest event of a type.
func (l *log) find(typ string) *phone.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range slices.Backward(l.entries) {
		if e.Event != nil && e.Event.Type == typ {
			return e.Event
		}
	}
	return nil
}
