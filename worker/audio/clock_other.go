//go:build !linux

package audio

import "time"

// ticker tells when ticks are due: every frameTime from its begin, never from
// the last one, and half way between them where that is asked for. A
// time.Ticker would forget those that went by unread.
type ticker struct {
	begin   time.Time
	at      int // half ticks that wait has told of
	stopped chan struct{}
	timer   *time.Timer
}

func newTicker() (*ticker, error) {
	return &ticker{begin: time.Now(), stopped: make(chan struct{}), timer: time.NewTimer(frameTime)}, nil
}

// wait returns how many half ticks have become due since the begin: a whole
// number of ticks, unless fine asks for what lies between them. There is at
// least one more than the last time; 0 when the ticker was stopped.
func (t *ticker) wait(fine bool) int {
	step := 2
	if fine {
		step = 1
	}
	next := t.at - t.at%step + step
	t.timer.Reset(time.Until(t.begin.Add(time.Duration(next) * halfTime)))
	select {
	case <-t.stopped:
		t.timer.Stop()
		return 0
	case <-t.timer.C:
	}
	due := int(time.Since(t.begin) / halfTime)
	t.at = max(next, due-due%step)
	return t.at
}

// stop ends the ticker and a wait that is going on.
func (t *ticker) stop() { close(t.stopped) }
