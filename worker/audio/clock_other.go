//go:build !linux

package audio

import "time"

// ticker tells when ticks are due: every frameTime from its begin, never from
// the last one. A time.Ticker would forget those that went by unread.
type ticker struct {
	begin   time.Time
	told    int
	stopped chan struct{}
	timer   *time.Timer
}

func newTicker() (*ticker, error) {
	return &ticker{begin: time.Now(), stopped: make(chan struct{}), timer: time.NewTimer(frameTime)}, nil
}

// wait returns how many ticks became due since the last call, at least one; 0
// when the ticker was stopped.
func (t *ticker) wait() int {
	next := t.begin.Add(time.Duration(t.told+1) * frameTime)
	t.timer.Reset(time.Until(next))
	select {
	case <-t.stopped:
		t.timer.Stop()
		return 0
	case <-t.timer.C:
	}
	due := int(time.Since(t.begin) / frameTime)
	n := max(due-t.told, 1)
	t.told += n
	return n
}

// stop ends the ticker and a wait that is going on.
func (t *ticker) stop() { close(t.stopped) }
