package listen

import (
	"math"
	"slices"
	"time"
)

const (
	fullScale = 32768.0
	silence   = -127.0 // dBov, the lowest level of RFC 6465
)

// Level is the recording's mean level in dBov.
func (r Recording) Level() float64 {
	var power float64
	for _, s := range r.Samples {
		power += float64(s) * float64(s)
	}
	return dBov(power / float64(len(r.Samples)))
}

// LevelOf is the level in dBov of one frequency over the whole recording;
// 0.1 s separate tones some 20 Hz apart.
func (r Recording) LevelOf(hz float64) float64 { return r.windowed().levelOf(hz) }

// MeanLevelOf is the level in dBov of one frequency, as the mean of its power
// in windows of the given length: a jump of the tone's phase, as where a packet
// came too late, takes away from one window and not from the whole. A last
// window that is not full does not count.
func (r Recording) MeanLevelOf(hz float64, window time.Duration) float64 {
	var power float64
	n := 0
	for from := time.Duration(0); from+window <= r.Duration(); from += window {
		power += math.Pow(10, r.Between(from, from+window).LevelOf(hz)/10)
		n++
	}
	if n == 0 {
		return silence
	}
	return max(silence, 10*math.Log10(power/float64(n)))
}

// UsualLevelOf is the level in dBov of one frequency, as the median of its
// levels in windows of the given length: what a few moments miss, or have too
// much, does not count. A last window that is not full does not either.
func (r Recording) UsualLevelOf(hz float64, window time.Duration) float64 {
	var levels []float64
	for from := time.Duration(0); from+window <= r.Duration(); from += window {
		levels = append(levels, r.Between(from, from+window).LevelOf(hz))
	}
	if len(levels) == 0 {
		return silence
	}
	slices.Sort(levels)
	return levels[len(levels)/2]
}

// Loudest is the frequency in Hz with the highest level between the two given
// ones, to the nearest hertz, and that level in dBov. The first quarter of a
// second decides where to look.
func (r Recording) Loudest(fromHz, toHz float64) (hz, level float64) {
	level = math.Inf(-1)
	look := func(s spectrum, from, to, step float64) {
		for f := from; f <= to; f += step {
			if l := s.levelOf(f); l > level {
				hz, level = f, l
			}
		}
	}
	start := r.Between(0, 250*time.Millisecond)
	// Half a bin of the discrete Fourier transform.
	step := max(1, float64(r.Rate)/float64(max(1, len(start.Samples)))/2)
	look(start.windowed(), fromHz, toHz, step)
	near := hz
	level = math.Inf(-1)
	look(r.windowed(), math.Round(max(fromHz, near-step)), min(toHz, near+step), 1)
	return hz, level
}

// spectrum is a recording prepared for Goertzel's algorithm.
type spectrum struct {
	rate    float64
	samples []float64 // under a Hann window, which keeps other tones out of a bin
	sum     float64   // of the window
}

func (r Recording) windowed() spectrum {
	s := spectrum{rate: float64(r.Rate), samples: make([]float64, len(r.Samples))}
	for i, sample := range r.Samples {
		window := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(r.Samples)))
		s.samples[i] = window * float64(sample)
		s.sum += window
	}
	return s
}

func (s spectrum) levelOf(hz float64) float64 {
	if len(s.samples) == 0 {
		return silence
	}
	coefficient := 2 * math.Cos(2*math.Pi*hz/s.rate)
	var s1, s2 float64
	for _, sample := range s.samples {
		s1, s2 = sample+coefficient*s1-s2, s1
	}
	amplitude := 2 * math.Sqrt(max(0, s1*s1+s2*s2-coefficient*s1*s2)) / s.sum
	return dBov(amplitude * amplitude / 2)
}

// Share is the part (0 to 1) of the windows of the given length in which the
// frequency has at least the given level. A last window that is not full does
// not count.
func (r Recording) Share(hz, atLeast float64, window time.Duration) float64 {
	var all, heard int
	for from := time.Duration(0); from+window <= r.Duration(); from += window {
		all++
		if r.Between(from, from+window).LevelOf(hz) >= atLeast {
			heard++
		}
	}
	if all == 0 {
		return 0
	}
	return float64(heard) / float64(all)
}

func dBov(power float64) float64 {
	if !(power > 0) {
		return silence
	}
	return max(silence, 10*math.Log10(power/(fullScale*fullScale)))
}
