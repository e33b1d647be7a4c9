package audio

import "time"

// adopt takes over what Apply has published since the last tick.
func (s *Stream) adopt() {
	l := &s.leg
	p := s.plan.Load()
	if p == l.plan {
		return
	}
	before := l.plan
	if before != nil && before.canSendDigits() && !p.canSendDigits() {
		s.finishDigit(before)
	}
	l.plan = p
	if before == nil {
		l.epoch = s.engine.now()
		l.timestamp = s.session.RandomTimestamp()
		s.digits.setClockRate(p.Send.ClockRate)
		if p.Send.ClockRate != 8000 {
			s.session.NewSource(p.Send.ClockRate)
		}
		return
	}
	if before.Send == p.Send {
		return
	}
	s.abandon(before)
	if before.Send.ClockRate != p.Send.ClockRate {
		s.session.NewSource(p.Send.ClockRate)
		l.timestamp = s.session.RandomTimestamp()
		l.talking = false
		s.digits.setClockRate(p.Send.ClockRate)
	}
}

// abandon passes over samples that wait for their packet to be full.
func (s *Stream) abandon(p *plan) {
	l := &s.leg
	l.timestamp += uint32(len(l.pending) * p.Send.ClockRate / p.Send.SampleRate)
	l.pending = l.pending[:0]
}

// skip lets time pass without sound.
func (s *Stream) skip(ticks int) {
	s.sounds.heard.Missing(time.Duration(ticks) * frameTime)
	s.sounds.sent.Missing(time.Duration(ticks) * frameTime)
	if p := s.leg.plan; p != nil {
		s.leg.timestamp += uint32(ticks * p.sendTicks())
	}
}

// send gives this tick's frame: to the far end, and to the recording.
func (s *Stream) send(tick uint64) {
	l := &s.leg
	p := l.plan
	pcm := s.outgoing(tick)
	if !p.MaySend {
		s.finishDigit(p)
	}
	digits := p.MaySend && s.sendDigits()
	if !p.MaySend || digits {
		s.abandon(p)
		l.timestamp += uint32(p.sendTicks())
		l.talking = false
		s.sounds.sent.Missing(frameTime)
		s.record(silence[:samples(p.Send.SampleRate)])
		return
	}
	s.sounds.sent.Frame(pcm, 0, p.Send.SampleRate)
	l.pending = append(l.pending, pcm...)
	s.sendPackets(p.reserve)
	s.record(pcm)
}

// sendPackets sends the packets that are full, and as many samples are there
// beyond them as reserve says.
func (s *Stream) sendPackets(reserve int) {
	l := &s.leg
	p := l.plan
	if p == nil {
		return
	}
	for len(l.pending) >= p.ptime+reserve {
		l.payload = p.encoder.Encode(l.payload[:0], l.pending[:p.ptime])
		s.transmit(p.SendPT, !l.talking, l.timestamp, l.payload)
		l.talking = true
		l.timestamp += uint32(p.ptime * p.Send.ClockRate / p.Send.SampleRate)
		l.pending = l.pending[:copy(l.pending, l.pending[p.ptime:])]
	}
}

// paced reports whether some of the stream's packets leave between two ticks.
func (s *Stream) paced() bool { return s.leg.plan != nil && s.leg.plan.reserve > 0 }

// transmit sends a packet. An error is one of the network, which RTP bears: the
// far end counts the packet as lost.
func (s *Stream) transmit(pt uint8, marker bool, timestamp uint32, payload []byte) {
	_ = s.session.Send(pt, marker, timestamp, payload)
}
