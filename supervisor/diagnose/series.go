package diagnose

import "time"

// Sample is what came of a stream in a span of time.
type Sample struct {
	Packets int
	Lost    int           // numbers missed in it, less those of before that came late: it may be negative
	Jitter  time.Duration // the highest estimate of RFC 3550 §6.4.1
}

// Series is a stream over time, in spans of the same length from its first
// packet on.
type Series struct {
	Every   time.Duration
	Samples []Sample

	lost int // until the span that is now
}

// seriesBound is how many spans a series has at most: a longer stream has
// longer ones.
const seriesBound = 600

// note counts one packet, with what the stream has lost and how it jitters now.
func (s *Series) note(since time.Duration, lost int, jitter time.Duration) {
	if s.Every == 0 {
		s.Every = time.Second
	}
	for since/s.Every >= seriesBound {
		s.widen()
	}
	at := int(max(since, 0) / s.Every)
	for len(s.Samples) <= at {
		s.Samples = append(s.Samples, Sample{})
	}
	one := &s.Samples[at]
	one.Packets++
	one.Lost += lost - s.lost
	one.Jitter = max(one.Jitter, jitter)
	s.lost = lost
}

// widen makes one span of every two.
func (s *Series) widen() {
	half := make([]Sample, 0, seriesBound)
	for i, one := range s.Samples {
		if i%2 == 0 {
			half = append(half, one)
			continue
		}
		last := &half[len(half)-1]
		last.Packets += one.Packets
		last.Lost += one.Lost
		last.Jitter = max(last.Jitter, one.Jitter)
	}
	s.Samples, s.Every = half, 2*s.Every
}
