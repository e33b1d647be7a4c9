package audio

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ticker tells when ticks are due: every frameTime from its begin, never from
// the last one. A timerfd counts the ticks that went by unread; a time.Ticker
// forgets them.
type ticker struct {
	file  *os.File
	begin time.Time
	count [8]byte
}

func newTicker() (*ticker, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("the clock for media cannot be made: %w", err)
	}
	every := unix.NsecToTimespec(int64(frameTime))
	t := &ticker{begin: time.Now()}
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("the clock for media cannot be started: %w", err)
	}
	t.file = os.NewFile(uintptr(fd), "media clock") // non-blocking: it waits in the netpoller
	return t, nil
}

// wait returns how many ticks became due since the last call, at least one; 0
// when the ticker was stopped.
func (t *ticker) wait() int {
	if _, err := t.file.Read(t.count[:]); err != nil {
		return 0
	}
	return int(binary.NativeEndian.Uint64(t.count[:]))
}

// stop ends the ticker and a wait that is going on.
func (t *ticker) stop() { t.file.Close() }
