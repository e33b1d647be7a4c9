package quality

import (
	"math"
	"time"
)

// Silent is the level below which a signal counts as silence, in dBov.
const Silent = -60.0

// Level is the power of a frame in dBov: 0 is a square wave at full scale, a
// full-scale sine is -3 (RFC 6465 §3). Digital silence is -127.
func Level(pcm []int16) float64 {
	var sum int64
	for _, x := range pcm {
		sum += int64(x) * int64(x)
	}
	if sum == 0 {
		return -127
	}
	return max(-127, 10*math.Log10(float64(sum)/float64(len(pcm))/(32768*32768)))
}

// Silence watches a signal for lasting silence. The zero value begins with
// sound.
type Silence struct {
	quiet  time.Duration
	silent bool
}

// SilenceAfter is how long a signal must stay below Silent.
const SilenceAfter = 3 * time.Second

// Frame takes the next frame's level and length. changed tells that the signal
// has just become silent, or heard again.
func (s *Silence) Frame(level float64, d time.Duration) (silent, changed bool) {
	if level >= Silent {
		s.quiet = 0
		changed = s.silent
		s.silent = false
		return false, changed
	}
	s.quiet += d
	if !s.silent && s.quiet >= SilenceAfter {
		s.silent = true
		return true, true
	}
	return s.silent, false
}
