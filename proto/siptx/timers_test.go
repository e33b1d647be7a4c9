package siptx

import (
	"testing"
	"time"
)

func TestTimersOfTable4(t *testing.T) { // RFC 3261 Table 4, RFC 6026 §7
	timers := Timers{}.withDefaults()
	const giveUp = 32 * time.Second
	for _, row := range []struct {
		timer            Input
		datagram, stream time.Duration
	}{
		{TimerA, 500 * time.Millisecond, 500 * time.Millisecond},
		{TimerB, giveUp, giveUp},
		{TimerD, giveUp, 0},
		{TimerE, 500 * time.Millisecond, 500 * time.Millisecond},
		{TimerF, giveUp, giveUp},
		{TimerG, 500 * time.Millisecond, 500 * time.Millisecond},
		{TimerH, giveUp, giveUp},
		{TimerI, 5 * time.Second, 0},
		{TimerJ, giveUp, 0},
		{TimerK, 5 * time.Second, 0},
		{TimerL, giveUp, giveUp},
		{TimerM, giveUp, giveUp},
		{TimerTrying, 200 * time.Millisecond, 200 * time.Millisecond},
	} {
		if got := timers.first(row.timer, false); got != row.datagram {
			t.Errorf("%v over UDP: %v, want %v", row.timer, got, row.datagram)
		}
		if got := timers.first(row.timer, true); got != row.stream {
			t.Errorf("%v over TCP: %v, want %v", row.timer, got, row.stream)
		}
	}
}

func TestRetransmissionIntervals(t *testing.T) {
	timers := Timers{}.withDefaults()
	for _, row := range []struct {
		timer Input
		want  []int // in units of T1, from the first on
	}{
		{TimerA, []int{1, 2, 4, 8, 16, 32}},
		{TimerE, []int{1, 2, 4, 8, 8, 8}},
		{TimerG, []int{1, 2, 4, 8, 8, 8}},
	} {
		interval := timers.first(row.timer, false)
		for i, want := range row.want {
			if int(interval/timers.T1) != want || interval%timers.T1 != 0 {
				t.Errorf("interval %d of %v: %v, want %d T1", i, row.timer, interval, want)
			}
			interval = timers.next(row.timer, interval)
		}
	}
}
