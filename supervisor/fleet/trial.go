package fleet

import (
	"errors"
	"sync"
)

// errAsked ends the service of a worker in whose place another is wanted.
var errAsked = errors.New("another worker was asked for")

// trial is the start of a worker that somebody waits for: the phone's first,
// or one that was asked for. Workers that follow its deaths belong to it too.
type trial struct {
	bound      chan struct{} // closed when the worker is configured
	registered chan struct{} // closed when its first REGISTER is final, or it is bound and has none
	failed     chan struct{} // closed when it could not be started, or died
	once       sync.Once
	err        error // why; valid after failed
}

func newTrial() *trial {
	return &trial{bound: make(chan struct{}), registered: make(chan struct{}), failed: make(chan struct{})}
}

// fail says that the trial is lost; what was before is not taken back.
func (t *trial) fail(err error) {
	t.once.Do(func() {
		t.err = err
		close(t.failed)
	})
}

// reach closes one of the trial's channels, once; it belongs to one goroutine
// at a time.
func reach(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}
