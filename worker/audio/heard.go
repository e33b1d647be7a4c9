package audio

import (
	"math"
	"sync/atomic"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/worker/quality"
)

// sounds is what a stream's two directions were; the clock measures.
type sounds struct {
	heard, sent quality.Meter
	late        atomic.Int64 // packets that came when their turn was over
	delay       atomic.Int64 // what the jitter buffer adds now, in nanoseconds
}

// Heard is what came from the far end. It stays after Close, as Sent and
// Quality do. Numbers are rounded to what they are good for.
func (s *Stream) Heard() phone.Sound { return rounded(s.sounds.heard.Sound()) }

// Sent is what went to the far end.
func (s *Stream) Sent() phone.Sound { return rounded(s.sounds.sent.Sound()) }

func rounded(s quality.Sound) phone.Sound {
	s.LevelDBov, s.PeakDBov = round(s.LevelDBov, 0.1), round(s.PeakDBov, 0.1)
	s.ToneHz, s.TonePart = round(s.ToneHz, 0.1), round(s.TonePart, 0.001)
	return phone.Sound(s)
}

// round gives the nearest multiple of a power of ten below one.
func round(v, step float64) float64 {
	perOne := math.Round(1 / step)
	return math.Round(v*perOne) / perOne
}

// Quality estimates how good what is received sounds; nil before the first
// packet.
func (s *Stream) Quality() *phone.Quality {
	stats := s.Stats()
	expected := stats.RxPackets - stats.RxDup + stats.RxLoss
	if expected <= 0 {
		return nil
	}
	loss := min(1, float64(stats.RxLoss+s.sounds.late.Load())/float64(expected))
	delay := time.Duration(stats.RTTUsec)*time.Microsecond/2 + frameTime + time.Duration(s.sounds.delay.Load())
	r := quality.Rating(delay, loss, quality.G711Concealed)
	return &phone.Quality{
		MOS: round(quality.MOS(r), 0.01), RFactor: round(r, 0.1),
		LossPercent: round(100*loss, 0.01), JitterMs: round(float64(stats.RxJitterUsec)/1000, 0.01),
	}
}
