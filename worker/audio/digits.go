package audio

import (
	"fmt"
	"sync"

	"ringmaster/worker/dtmf"
)

// digitStrings is how many SendDTMF may wait for the one that is being sent.
const digitStrings = 16

// digitQueue is the strings of digits that a stream sends as RTP events. The
// clock takes a step at a time; whoever holds the lock holds it for no longer
// than that.
type digitQueue struct {
	mu      sync.Mutex
	sender  *dtmf.Sender
	waiting []string
}

func (q *digitQueue) push(digits string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= digitStrings {
		return fmt.Errorf("%d strings of digits are waiting to be sent already: wait until they are", digitStrings)
	}
	q.waiting = append(q.waiting, digits)
	return nil
}

// take empties the queue. The digit that sounds has only its end left to be
// said.
func (q *digitQueue) take() (sent, sounding, rest string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	sent, sounding, rest = q.sender.Take()
	for _, s := range q.waiting {
		rest += s
	}
	q.waiting = nil
	return sent, sounding, rest
}

func (q *digitQueue) setClockRate(rate int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sender.SetClockRate(rate)
}

// alone reports whether digits have the line to themselves.
func (q *digitQueue) alone() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sender.Alone()
}

// begin begins the next string unless one is being sent, and reports whether
// one is.
func (q *digitQueue) begin() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.sender.Busy() {
		return true
	}
	if len(q.waiting) == 0 {
		return false
	}
	q.sender.Begin(q.waiting[0])
	q.waiting = q.waiting[:copy(q.waiting, q.waiting[1:])]
	return true
}

func (q *digitQueue) step(timestamp uint32, ticks int) (e dtmf.Event, send bool, done string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sender.Step(timestamp, ticks)
}

// finish moves on to the end of a digit that sounds, if one does.
func (q *digitQueue) finish(timestamp uint32, ticks int) (e dtmf.Event, unfinished bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sender.CutShort()
	if !q.sender.Unfinished() {
		return dtmf.Event{}, false
	}
	e, _, _ = q.sender.Step(timestamp, ticks)
	return e, true
}

// TakeDigits empties the queue of SendDTMF: the far end takes them no more, or
// there is no time left. Of the string that was being sent it tells what has
// been, and the digit that sounds: its end is said with the next tick, by the
// plan that then ends if there is a new one. The rest is everything after it.
// DTMFSent is not called for them.
func (s *Stream) TakeDigits() (sent, sounding, rest string) { return s.digits.take() }

// sendDigits sends this tick's event, if digits are to be sent, and reports
// whether they take the place of audio.
func (s *Stream) sendDigits() bool {
	l := &s.leg
	if !s.digits.begin() {
		return false
	}
	if !l.plan.canSendDigits() {
		return false // they came with the plan before, and wait to be taken
	}
	waiting := len(l.pending) * l.plan.Send.ClockRate / l.plan.Send.SampleRate
	e, send, done := s.digits.step(l.timestamp+uint32(waiting), l.plan.sendTicks())
	alone := s.digits.alone()
	if alone {
		s.abandon(l.plan)
	}
	if send {
		s.transmit(uint8(l.plan.EventSendPT), e.Marker, e.Timestamp, e.Payload[:])
	}
	if done != "" {
		l.plan.sink.DTMFSent(done)
	}
	return alone
}

// finishDigit says the end of a digit that sounds when nothing may be sent any
// more, or no events: three small packets, rather than a tone that lasts until
// the far end gives up, or a digit that comes twice. The digits after it wait.
func (s *Stream) finishDigit(p *plan) {
	for {
		e, unfinished := s.digits.finish(s.leg.timestamp, p.sendTicks())
		if !unfinished {
			return
		}
		if p.canSendDigits() {
			s.transmit(uint8(p.EventSendPT), e.Marker, e.Timestamp, e.Payload[:])
		}
	}
}
