package audio

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ticker tells when ticks are due: every frameTime from its begin, never from
// the last one, and half way between them where that is asked for. A timerfd
// counts what went by unread; a time.Ticker forgets it.
type ticker struct {
	file  *os.File
	begin time.Time
	epoch int64 // begin on the kernel's monotonic clock, in nanoseconds
	fine  bool  // half ticks too
	at    int   // half ticks that wait has told of
	count [8]byte
}

func newTicker() (*ticker, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("the clock for media cannot be made: %w", err)
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("the clock for media cannot be read: %w", err)
	}
	t := &ticker{begin: time.Now(), epoch: now.Nano()}
	if err := t.arm(fd); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("the clock for media cannot be started: %w", err)
	}
	t.file = os.NewFile(uintptr(fd), "media clock") // non-blocking: it waits in the netpoller
	return t, nil
}

// step is how many half ticks lie between two expiries.
func (t *ticker) step() int {
	if t.fine {
		return 1
	}
	return 2
}

// arm sets the timer to what comes after t.at. What is due already expires at
// once, and is counted.
func (t *ticker) arm(fd int) error {
	next := t.at - t.at%t.step() + t.step()
	return unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME, &unix.ItimerSpec{
		Interval: unix.NsecToTimespec(int64(halfTime) * int64(t.step())),
		Value:    unix.NsecToTimespec(t.epoch + int64(next)*int64(halfTime)),
	}, nil)
}

// wait returns how many half ticks have become due since the begin: a whole
// number of ticks, unless fine asks for what lies between them. There is at
// least one more than the last time; 0 when the ticker was stopped.
func (t *ticker) wait(fine bool) int {
	if fine != t.fine {
		t.fine = fine
		if !t.rearm() {
			return 0
		}
		t.at -= t.at % t.step()
	}
	if _, err := t.file.Read(t.count[:]); err != nil {
		return 0
	}
	t.at += int(binary.NativeEndian.Uint64(t.count[:])) * t.step()
	return t.at
}

func (t *ticker) rearm() bool {
	conn, err := t.file.SyscallConn()
	if err != nil {
		return false
	}
	var failed error
	err = conn.Control(func(fd uintptr) { failed = t.arm(int(fd)) })
	return err == nil && failed == nil
}

// stop ends the ticker and a wait that is going on.
func (t *ticker) stop() { t.file.Close() }
