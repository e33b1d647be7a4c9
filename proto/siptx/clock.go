package siptx

import (
	"time"

	"ringmaster/loop"
)

// clock is one transaction's timers. Those still running when a state ignores
// them cost nothing but the ignored input, so only the end stops them.
type clock struct {
	loop     *loop.Loop
	timers   Timers
	reliable bool
	running  map[Input]*loop.Timer
	last     map[Input]time.Duration
}

func newClock(l *Layer, reliable bool) clock {
	return clock{
		loop: l.loop, timers: l.cfg.Timers, reliable: reliable,
		running: make(map[Input]*loop.Timer),
		last:    make(map[Input]time.Duration),
	}
}

// set performs an Arm, Rearm or RearmT2.
func (c *clock) set(a Action, fire func(Input)) {
	var d time.Duration
	switch a.Do {
	case Arm:
		d = c.timers.first(a.Timer, c.reliable)
	case Rearm:
		d = c.timers.next(a.Timer, c.last[a.Timer])
	default: // RearmT2
		d = c.timers.T2
	}
	c.last[a.Timer] = d
	c.running[a.Timer].Stop()
	c.running[a.Timer] = c.loop.After(d, func() { fire(a.Timer) })
}

func (c *clock) stop() {
	for _, t := range c.running {
		t.Stop()
	}
}
