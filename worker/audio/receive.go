package audio

import (
	"time"

	"ringmaster/worker/jitter"
	"ringmaster/worker/quality"
)

// leg is what the clock keeps of a stream between ticks.
type leg struct {
	plan  *plan // as of this tick
	epoch time.Time

	// Receiving.
	jitter    *jitter.Buffer
	clockRate int      // of what is in it
	decoder   *decoder // of the last packet played
	comfort   bool     // the far end is silent on purpose
	decoded   []int16  // what is left over of the last packets
	used      int      // of decoded, by the tick before
	frame     []int16  // received in this tick, at rate
	absent    int      // samples of it that no packet brought
	level     float64  // of it, in dBov
	rate      int
	silence   quality.Silence

	// Sending.
	source    []int16 // this tick's frame of what plays
	pending   []int16 // samples waiting for a packet to be full
	timestamp uint32  // of the first pending sample
	talking   bool    // the packet before was audio, so the next is no talkspurt's begin
	payload   []byte
}

// Room at 16 kHz: for a packet of 120 ms beside a frame of what is received, for
// one of 60 ms of what is sent.
const (
	roomDecoded = 7 * samples16k
	roomPending = 4 * samples16k
)

func (l *leg) init() {
	l.decoded = make([]int16, 0, roomDecoded)
	l.pending = make([]int16, 0, roomPending)
	l.source = make([]int16, 0, samples16k)
	l.payload = make([]byte, 0, 2*roomPending)
	l.rate = 8000
	l.frame = silence[:samples(l.rate)]
}

// silence is a frame of it, at any rate.
var silence [samples16k]int16 //nolint:gochecknoglobals // only read

const samples16k = 16000 / framesPerSecond

// receive takes this tick's frame out of what arrived, and notices silence
// where sound may come.
func (s *Stream) receive(now time.Time) {
	l := &s.leg
	s.adopt()
	s.hear(now)
	packet := s.fresh.Swap(false)
	if !l.plan.MayReceive {
		return
	}
	switch l.silence.Frame(l.level, packet, frameTime) {
	case quality.FellSilent:
		l.plan.sink.MediaSilence("quiet")
	case quality.NoPackets:
		l.plan.sink.MediaSilence("no_rtp")
	case quality.SoundAgain:
		l.plan.sink.MediaResumed()
	}
}

// hear takes this tick's frame out of what arrived.
func (s *Stream) hear(now time.Time) {
	l := &s.leg
	s.collect()
	l.decoded = l.decoded[:copy(l.decoded, l.decoded[l.used:])]
	l.used, l.absent = 0, 0
	if !l.plan.MayReceive || l.jitter == nil {
		if l.jitter != nil {
			l.jitter.Reset() // it would make up for the time that nothing was taken from it
		}
		l.decoded = l.decoded[:0]
		l.frame, l.level = silence[:samples(l.rate)], quality.Level(nil)
		s.sounds.heard.Missing(frameTime)
		return
	}
	// A packet gives at least a tick, so the loop ends; the bound is for
	// packets of next to nothing.
	for range 64 {
		if len(l.decoded) >= samples(l.rate) {
			break
		}
		s.decodeNext(now)
	}
	n := samples(l.rate)
	if short := n - len(l.decoded); short > 0 {
		l.absent += short
		l.decoded = append(l.decoded, silence[:short]...)
	}
	l.frame, l.used = l.decoded[:n], n
	l.level = s.sounds.heard.Frame(l.frame, min(l.absent, len(l.frame)), l.rate)
}

// collect moves what arrived into the jitter buffer.
func (s *Stream) collect() {
	l := &s.leg
	for a := s.packets.peek(); a != nil; a = s.packets.peek() {
		if a.clockRate != l.clockRate {
			l.jitter, l.clockRate = jitter.New(jitter.Default(a.clockRate)), a.clockRate
		}
		switch l.jitter.Put(a.at.Sub(l.epoch), a.Packet) {
		case jitter.Queued:
		case jitter.Late:
			s.sounds.late.Add(1)
			s.session.Discard()
		default:
			s.session.Discard()
		}
		s.packets.drop()
	}
	if l.jitter != nil {
		s.sounds.delay.Store(int64(l.jitter.Target()))
	}
}

// decodeNext adds to l.decoded what is to be heard next.
func (s *Stream) decodeNext(now time.Time) {
	l := &s.leg
	missing := samples(l.rate) - len(l.decoded)
	action, p, ticks := l.jitter.Next(now.Sub(l.epoch), max(1, missing*l.clockRate/l.rate))
	n := min(ticks*l.rate/l.clockRate, cap(l.decoded)-len(l.decoded))
	switch {
	case action == jitter.Play:
		s.decode(p)
	case action == jitter.Conceal && l.decoder != nil && !l.comfort:
		l.absent += n
		l.decoded = l.decoder.coder.Conceal(l.decoded, n)
	default:
		if !l.comfort {
			l.absent += n
		}
		for n > 0 {
			k := min(n, len(silence))
			l.decoded = append(l.decoded, silence[:k]...)
			n -= k
		}
	}
}

func (s *Stream) decode(p *jitter.Packet) {
	l := &s.leg
	d := l.plan.decoder[p.Kind]
	if d == nil {
		l.comfort = int(p.Kind) == l.plan.CNPT
		return
	}
	if p.Ticks*d.spec.SampleRate/d.spec.ClockRate > cap(l.decoded)-len(l.decoded) {
		s.session.Discard()
		return
	}
	l.decoder, l.comfort = d, false
	if rate := d.spec.SampleRate; rate != l.rate {
		l.rate = rate
		l.decoded = l.decoded[:0]
	}
	l.decoded = d.coder.Decode(l.decoded, p.Payload)
}
