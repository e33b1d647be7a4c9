// Package loop is one goroutine that owns state: work is posted to it and done
// in order, and its timers fire on it.
//
//	reader ──Post──►┐
//	command ─Do────►├─ queue ──► the loop: one function at a time
//	           timers ┘
//
// Whatever only the loop touches needs no lock. Nothing that runs on the loop
// may block: a wait happens elsewhere and comes back as a Post.
package loop

import (
	"container/heap"
	"context"
	"errors"
	"time"
)

// ErrStopped is returned for work that the loop will not do any more.
var ErrStopped = errors.New("the loop has stopped")

// queueBound is how many posts may wait. Past it, Post blocks its caller, so
// that a flood of datagrams waits in the socket, where the kernel bounds it.
const queueBound = 1024

// Loop runs functions one after the other. Make it with New, run it with Run.
type Loop struct {
	now     func() time.Time
	queue   chan func()
	stop    chan struct{}
	stopped chan struct{}

	// Touched by the loop only.
	deferred []func()
	timers   timerHeap
	stopping bool
}

// New makes a loop that takes the time from now; nil means time.Now.
func New(now func() time.Time) *Loop {
	if now == nil {
		now = time.Now
	}
	return &Loop{
		now:     now,
		queue:   make(chan func(), queueBound),
		stop:    make(chan struct{}, 1),
		stopped: make(chan struct{}),
	}
}

// Now is the loop's time.
func (l *Loop) Now() time.Time { return l.now() }

// Post queues fn from any goroutine but the loop's own (there, use Defer). It
// blocks while the queue is full and returns ErrStopped, without running fn,
// once the loop has ended.
func (l *Loop) Post(fn func()) error {
	select {
	case <-l.stopped:
		return ErrStopped
	default:
	}
	select {
	case l.queue <- fn:
		return nil
	case <-l.stopped:
		return ErrStopped
	}
}

// Do runs fn on the loop and returns when it has run. With an ended ctx it
// returns the context's error, and fn may still run later.
func (l *Loop) Do(ctx context.Context, fn func()) error {
	done := make(chan struct{})
	run := func() { fn(); close(done) }
	select {
	case l.queue <- run:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.stopped:
		return ErrStopped
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.stopped:
		select {
		case <-done:
			return nil
		default:
			return ErrStopped
		}
	}
}

// Defer queues fn from the loop's own goroutine: it runs after the function
// now running, before anything posted.
func (l *Loop) Defer(fn func()) { l.deferred = append(l.deferred, fn) }

// Timer is a pending call of a function. Its methods belong to the loop.
type Timer struct {
	loop  *Loop
	at    time.Time
	fn    func()
	index int // in the heap; -1 when not pending
}

// After calls fn on the loop when d has passed. It must be called on the loop,
// or before Run.
func (l *Loop) After(d time.Duration, fn func()) *Timer {
	t := &Timer{loop: l, at: l.now().Add(d), fn: fn, index: -1}
	heap.Push(&l.timers, t)
	return t
}

// Stop makes sure that the function is not called any more. A nil timer and
// one that has fired are fine.
func (t *Timer) Stop() {
	if t == nil || t.index < 0 {
		return
	}
	heap.Remove(&t.loop.timers, t.index)
}

// Pending reports whether the function has yet to be called.
func (t *Timer) Pending() bool { return t != nil && t.index >= 0 }

// Run runs the loop until Stop; it returns when the last function has
// returned. Timers that were pending do not fire.
func (l *Loop) Run() {
	defer close(l.stopped)
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	for !l.stopping {
		if l.runDeferred() || l.runDueTimer() {
			continue
		}
		wait := time.Hour
		if len(l.timers) > 0 {
			wait = l.timers[0].at.Sub(l.now())
		}
		wake.Reset(wait)
		select {
		case fn := <-l.queue:
			fn()
		case <-wake.C:
		case <-l.stop:
			l.stopping = true
		}
	}
}

func (l *Loop) runDeferred() bool {
	if len(l.deferred) == 0 {
		return false
	}
	batch := l.deferred
	l.deferred = nil
	for _, fn := range batch {
		fn()
	}
	return true
}

func (l *Loop) runDueTimer() bool {
	if len(l.timers) == 0 || l.timers[0].at.After(l.now()) {
		return false
	}
	t := heap.Pop(&l.timers).(*Timer)
	t.fn()
	return true
}

// Stop ends the loop after the function now running, from any goroutine. It
// does not wait; Stopped tells when the loop has ended.
func (l *Loop) Stop() {
	select {
	case l.stop <- struct{}{}:
	default:
	}
}

// Stopped is closed when Run has returned.
func (l *Loop) Stopped() <-chan struct{} { return l.stopped }

// timerHeap orders timers by time; container/heap drives it.
type timerHeap []*Timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
