package dtmf

import (
	"strings"
	"time"
)

// Timing of what is sent, in milliseconds. ITU-T Q.24 has receivers that need
// 40 ms of either.
const (
	toneMS  = 100
	gapMS   = 60
	pauseMS = int(PauseTime / time.Millisecond)
)

// endPackets is how often the end of an event is said (RFC 4733 §2.5.1.4).
const endPackets = 3

// volume is the power that the far end shall give the tone, in -dBm0.
const volume = 10

// Event is one telephone-event packet to be sent.
type Event struct {
	Timestamp uint32 // of the event's begin
	Marker    bool
	Payload   [4]byte
}

// Sender turns digits into events, one string at a time. It counts time by the
// steps it is asked for and knows no clock.
type Sender struct {
	clockRate int
	digits    string // the string being sent
	rest      string // what is left of it, without the current digit

	phase     phase
	code      byte
	timestamp uint32
	duration  int // of the current digit so far, in ticks
	ends      int // end packets that remain
	wait      int // ticks until what comes next
}

type phase int

const (
	idle phase = iota
	sounding
	ending // the end is being repeated, as a part of the gap
	resting
	pausing
)

// NewSender makes a sender for an RTP clock of clockRate Hz.
func NewSender(clockRate int) *Sender { return &Sender{clockRate: clockRate} }

// SetClockRate changes the clock between two digits.
func (s *Sender) SetClockRate(clockRate int) { s.clockRate = clockRate }

// Begin starts a string that Normalize has accepted. The one before must be
// done.
func (s *Sender) Begin(digits string) {
	s.digits, s.rest = digits, digits
	s.phase, s.wait = resting, 0
}

// Busy reports whether a string is being sent.
func (s *Sender) Busy() bool { return s.phase != idle }

// Alone reports whether digits have the line to themselves: while a string is
// being sent, but for its pauses.
func (s *Sender) Alone() bool { return s.phase != idle && s.phase != pausing }

// Unfinished reports whether an event was begun whose end has yet to be said.
func (s *Sender) Unfinished() bool { return s.phase == sounding || s.phase == ending }

// CutShort ends the event that sounds: the next steps say so.
func (s *Sender) CutShort() {
	if s.phase == sounding {
		s.phase, s.ends = ending, endPackets
	}
}

// Take ends the string that is being sent: what has been sent of it, the digit
// that sounds, if one does, and the rest. Of the digit only the end is left to
// be said; done is not told.
func (s *Sender) Take() (sent, current, rest string) {
	rest = s.rest
	sent = s.digits[:len(s.digits)-len(rest)]
	if s.phase == sounding {
		sent, current = sent[:len(sent)-1], sent[len(sent)-1:]
	}
	s.digits, s.rest = "", ""
	s.CutShort()
	if !s.Unfinished() {
		s.phase = idle
	}
	return sent, current, rest
}

// Step moves on by step ticks from the given RTP timestamp. send tells whether
// e is to be sent. done is the whole string, once: with the step that ends it.
func (s *Sender) Step(timestamp uint32, step int) (e Event, send bool, done string) {
	switch s.phase {
	case sounding:
		s.duration += step
		if s.duration < s.ticks(toneMS) {
			return s.event(false, false), true, ""
		}
		s.phase, s.ends = ending, endPackets
		return s.end(step), true, ""
	case ending:
		return s.end(step), true, ""
	case resting, pausing:
		if s.wait -= step; s.wait > 0 {
			return Event{}, false, ""
		}
		return s.next(timestamp, step)
	}
	return Event{}, false, ""
}

// next begins the next digit or pause, or ends the string.
func (s *Sender) next(timestamp uint32, step int) (Event, bool, string) {
	if s.rest == "" {
		done := s.digits
		s.phase, s.digits = idle, ""
		return Event{}, false, done
	}
	c := s.rest[0]
	s.rest = s.rest[1:]
	if c == Pause {
		s.phase, s.wait = pausing, s.ticks(pauseMS)
		return Event{}, false, ""
	}
	s.code = byte(strings.IndexByte(keys, c))
	s.phase, s.timestamp, s.duration = sounding, timestamp, step
	return s.event(true, false), true, ""
}

// end says that the event is over. The gap has run since the first time.
func (s *Sender) end(step int) Event {
	if s.ends--; s.ends == 0 {
		s.phase = resting
		s.wait = s.ticks(gapMS) - (endPackets-2)*step
	}
	return s.event(false, true)
}

func (s *Sender) event(begin, end bool) Event {
	flags := byte(volume)
	if end {
		flags |= 0x80
	}
	return Event{
		Timestamp: s.timestamp,
		Marker:    begin,
		Payload:   [4]byte{s.code, flags, byte(s.duration >> 8), byte(s.duration)},
	}
}

func (s *Sender) ticks(ms int) int { return ms * s.clockRate / 1000 }
