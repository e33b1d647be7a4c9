// Package jitter is a playout buffer: packets go in as they arrive, and come
// out evenly, in the order of their RTP timestamps.
package jitter

import "time"

// Packet is one RTP packet of audio. The buffer copies Payload.
type Packet struct {
	SSRC      uint32
	Seq       uint16
	Timestamp uint32
	Ticks     int // how long it lasts, in ticks of the RTP clock; above 0
	Kind      uint8
	Payload   []byte
}

// Config bounds a buffer's playout delay, counted from the earliest that
// packets arrive. It begins with Least.
type Config struct {
	ClockRate   int // RTP clock, Hz
	Least, Most time.Duration
}

// Default is for networks no worse than the internet.
func Default(clockRate int) Config {
	return Config{ClockRate: clockRate, Least: 40 * time.Millisecond, Most: 200 * time.Millisecond}
}

// Verdict says what became of a packet that was put in.
type Verdict int

// The verdicts.
const (
	Queued    Verdict = iota
	Duplicate         // one with this timestamp is there already
	Late              // its turn to be played is over
	Overflow          // too far ahead: no room
)

// Action says what to play next.
type Action int

// The actions.
const (
	Wait    Action = iota // nothing has come yet, or the sender pauses: silence
	Play                  // the packet
	Conceal               // a packet is missing: something like what came before
)

// slots is how many packets wait at most: with packets of 10 ms, more than
// twice the longest playout delay.
const slots = 64

// Buffer holds the packets of one stream between arrival and playout. It is
// arithmetic without a clock: every time is given to it. It does not allocate
// once its slots have grown to the size of the payloads.
type Buffer struct {
	cfg  Config
	slot [slots]slot
	used int

	ssrc    uint32
	begun   bool          // a packet of this source has come
	playing bool          // head is valid
	startAt time.Duration // when the first packet is to be played
	head    uint32        // timestamp of what is played next
	last    struct {      // the packet put in before
		timestamp uint32
		seq       uint16
		at        time.Duration
	}
	lastSeq uint16 // of the last packet played
	known   bool   // lastSeq is valid
	missed  int    // ticks concealed in a row with nothing in the buffer

	delay delay
}

type slot struct {
	used bool
	Packet
}

// New makes an empty buffer.
func New(cfg Config) *Buffer {
	return &Buffer{cfg: cfg, delay: newDelay(cfg)}
}

// Reset forgets the stream: the next packet begins a new one.
func (b *Buffer) Reset() {
	for i := range b.slot {
		b.slot[i].used = false
	}
	b.used = 0
	b.begun, b.playing, b.known = false, false, false
	b.missed = 0
	b.delay = newDelay(b.cfg)
}

// Put takes a packet that arrived at now.
func (b *Buffer) Put(now time.Duration, p Packet) Verdict {
	if b.begun && (p.SSRC != b.ssrc || b.jumps(now, p)) {
		b.Reset() // another source, or the same whose timestamps begin anew
	}
	if !b.begun {
		b.begun, b.ssrc = true, p.SSRC
		b.startAt = now + b.delay.target
		b.delay.begin(now, p.Timestamp)
	}
	b.last.timestamp, b.last.seq, b.last.at = p.Timestamp, p.Seq, now
	b.delay.arrived(now, p.Timestamp)
	if b.playing && before(p.Timestamp, b.head) {
		return Late
	}
	free := -1
	for i := range b.slot {
		switch s := &b.slot[i]; {
		case !s.used:
			free = i
		case s.Timestamp == p.Timestamp:
			return Duplicate
		}
	}
	if free < 0 {
		return Overflow
	}
	s := &b.slot[free]
	payload := append(s.Payload[:0], p.Payload...)
	s.Packet, s.used = p, true
	s.Payload = payload
	b.used++
	return Queued
}

// jumps tells a packet whose timestamp has nothing to do with the one before,
// as when a PBX changes what it relays: it runs back though the packet is newer,
// or by more than reordering can, or ahead of the time that has passed.
func (b *Buffer) jumps(now time.Duration, p Packet) bool {
	step := int64(int32(p.Timestamp - b.last.timestamp))
	if step < 0 && int16(p.Seq-b.last.seq) > 0 {
		return true
	}
	bound := int64(b.cfg.ClockRate) // a second
	elapsed := max(0, int64(now-b.last.at)*bound/int64(time.Second))
	return step < -bound || step > elapsed+bound
}

// Next says what to play at now, and moves on by the ticks it returns. A packet
// is the caller's until the next Put. want is how many ticks the caller would
// like for Wait and Conceal; it may get fewer.
func (b *Buffer) Next(now time.Duration, want int) (Action, *Packet, int) {
	if !b.playing && !b.begin(now) {
		return Wait, nil, want
	}
	if b.used > 0 {
		switch b.delay.adjust(now, b.head) {
		case grow:
			return Conceal, nil, want // the head stays: everything is played later
		case shrink:
			b.skip(want)
		}
	}
	s := b.earliest()
	if s == nil {
		return b.starved(want)
	}
	b.missed = 0
	if ahead := int(int32(s.Timestamp - b.head)); ahead > 0 {
		return b.hole(s, min(ahead, want))
	}
	s.used = false
	b.used--
	b.head = s.Timestamp + uint32(s.Ticks)
	b.lastSeq, b.known = s.Seq, true
	return Play, &s.Packet, s.Ticks
}

// begin starts playing when the first packet has waited long enough.
func (b *Buffer) begin(now time.Duration) bool {
	if b.used == 0 || now < b.startAt {
		return false
	}
	b.head = b.earliest().Timestamp
	b.playing = true
	return true
}

// hole is what to play until the packet in s is due: nothing if it is the
// successor of the last one played, so that the sender was silent, and a
// concealment if some are missing.
func (b *Buffer) hole(s *slot, ticks int) (Action, *Packet, int) {
	b.head += uint32(ticks)
	if b.known && s.Seq == b.lastSeq+1 {
		return Wait, nil, ticks
	}
	return Conceal, nil, ticks
}

// starved is what to play when nothing is there. After 100 ms it is taken for
// a pause: what comes then has its whole delay again.
func (b *Buffer) starved(ticks int) (Action, *Packet, int) {
	b.head += uint32(ticks)
	b.missed += ticks
	if b.missed > b.cfg.ClockRate/10 {
		b.playing, b.begun = false, false
		return Wait, nil, ticks
	}
	return Conceal, nil, ticks
}

// skip moves on without playing, to bring the delay down.
func (b *Buffer) skip(ticks int) {
	b.head += uint32(ticks)
	for i := range b.slot {
		s := &b.slot[i]
		if s.used && !before(b.head, s.Timestamp+uint32(s.Ticks)) {
			s.used = false
			b.used--
			b.lastSeq, b.known = s.Seq, true
		}
	}
}

func (b *Buffer) earliest() *slot {
	var first *slot
	for i := range b.slot {
		s := &b.slot[i]
		if s.used && (first == nil || before(s.Timestamp, first.Timestamp)) {
			first = s
		}
	}
	return first
}

// Target is the playout delay that the buffer now aims for.
func (b *Buffer) Target() time.Duration { return b.delay.target }

// before compares timestamps on their circle.
func before(a, b uint32) bool { return int32(a-b) < 0 }
