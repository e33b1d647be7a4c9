package audio

import "ringmaster/worker/recorder"

// tap is a stream's recording as the clock sees it.
type tap struct {
	segment  *recorder.Segment
	received *converter
	sent     *converter
	mixed    []int16
}

func newTap(segment *recorder.Segment) *tap {
	rate := segment.Rate()
	return &tap{
		segment:  segment,
		received: newConverter(rate),
		sent:     newConverter(rate),
		mixed:    make([]int16, samples(rate)),
	}
}

// record writes this tick's frames of both directions, added, to the recording.
func (s *Stream) record(sent []int16) {
	t := s.tap.Load()
	if t == nil {
		return
	}
	l := &s.leg
	a := t.received.frame(l.frame, l.rate)
	b := t.sent.frame(sent, l.plan.Send.SampleRate)
	for i := range t.mixed {
		t.mixed[i] = clip(int32(a[i]) + int32(b[i]))
	}
	t.segment.Write(t.mixed)
}

func clip(v int32) int16 { return int16(max(-32768, min(32767, v))) }
