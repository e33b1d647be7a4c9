// Package tone makes sounds of pure arithmetic and measures them: sines, the
// pairs of DTMF, and the music that a call hears while nothing else plays.
package tone

import "math"

// Generator makes a sum of sines. It goes on where it stopped.
type Generator struct {
	step, phase []float64 // radians per sample, and where each sine stands
	amplitude   float64
}

// New makes a generator of the given frequencies in Hz, each at level dBov
// (a full-scale sine is -3).
func New(rate int, level float64, frequencies ...float64) *Generator {
	g := &Generator{amplitude: 32768 * math.Sqrt2 * math.Pow(10, level/20)}
	for _, f := range frequencies {
		g.step = append(g.step, 2*math.Pi*f/float64(rate))
		g.phase = append(g.phase, 0)
	}
	return g
}

// Fill writes the next samples.
func (g *Generator) Fill(dst []int16) {
	for i := range dst {
		var v float64
		for k := range g.step {
			v += math.Sin(g.phase[k])
			if g.phase[k] += g.step[k]; g.phase[k] > 2*math.Pi {
				g.phase[k] -= 2 * math.Pi
			}
		}
		dst[i] = clip(v * g.amplitude)
	}
}

func clip(v float64) int16 { return int16(max(-32768, min(32767, math.Round(v)))) }

// DTMF gives the two frequencies of a digit (ITU-T Q.23): 0-9, *, #, A-D.
func DTMF(digit byte) (low, high float64, ok bool) {
	const keys = "123A456B789C*0#D"
	for i := range len(keys) {
		if keys[i] == digit {
			return [4]float64{697, 770, 852, 941}[i/4], [4]float64{1209, 1336, 1477, 1633}[i%4], true
		}
	}
	return 0, 0, false
}

// Goertzel is the level in dBov of the part of pcm at one frequency: what
// quality.Level would say if there were nothing else. It tells apart
// frequencies that differ by more than rate/len(pcm).
func Goertzel(pcm []int16, rate int, frequency float64) float64 {
	if len(pcm) == 0 {
		return -127
	}
	w := 2 * math.Pi * frequency / float64(rate)
	coefficient := 2 * math.Cos(w)
	var s1, s2 float64
	for _, x := range pcm {
		s1, s2 = float64(x)+coefficient*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - coefficient*s1*s2 // |X|²; a sine of amplitude a has (a·n/2)²
	n := float64(len(pcm))
	return max(-127, 10*math.Log10(max(2*power/(n*n), 1e-12)/(32768*32768)))
}
