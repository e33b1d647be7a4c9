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

// Silence watches what is received for lasting silence. The zero value begins
// with sound.
type Silence struct {
	quiet  time.Duration // without sound
	gap    time.Duration // without packets
	silent bool
}

// How long it takes until a call counts as silent: a signal below Silent, or no
// packets at all.
const (
	SilenceAfter = 3 * time.Second
	GapAfter     = 2 * time.Second
)

// Change is what Silence has noticed.
type Change int

// The changes. Silence of either cause is told once, until sound is back.
const (
	NoChange   Change = iota
	FellSilent        // the signal has been below Silent for SilenceAfter
	NoPackets         // nothing has come for GapAfter
	SoundAgain        // it is heard again after either
)

// Frame takes the next frame: its level, its length, and whether a packet has
// come in that time.
func (s *Silence) Frame(level float64, packet bool, d time.Duration) Change {
	if level >= Silent {
		s.quiet = 0
	} else {
		s.quiet += d
	}
	if packet {
		s.gap = 0
	} else {
		s.gap += d
	}
	switch {
	case s.silent && s.quiet == 0:
		s.silent = false
		return SoundAgain
	case s.silent:
		return NoChange
	case s.gap >= GapAfter && s.quiet > 0:
		s.silent = true
		return NoPackets
	case s.quiet >= SilenceAfter:
		s.silent = true
		return FellSilent
	default:
		return NoChange
	}
}
