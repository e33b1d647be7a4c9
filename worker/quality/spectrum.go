package quality

import (
	"math"
	"math/bits"
)

// spectrumSize is how many samples a spectrum covers: at 8 kHz a frame of 20 ms
// and zeros, at 16 kHz the frame's first 16 ms.
const spectrumSize = 256

// half is the size of the complex transform that does the work: the even
// samples are its real parts, the odd ones its imaginary parts.
const half = spectrumSize / 2

// turns are the 256th roots of unity: turns[k] is exp(-2πik/256).
var turns = table()

func table() (t [half]complex128) {
	for k := range t {
		sin, cos := math.Sincos(-2 * math.Pi * float64(k) / spectrumSize)
		t[k] = complex(cos, sin)
	}
	return t
}

// window is Hann's over n samples.
func window(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(n))
	}
	return w
}

// spectrum finds the strongest frequency of a frame.
type spectrum struct {
	rate   int
	window []float64 // as long as the part of a frame that is looked at
	z      [half]complex128
	power  [half]float64
}

// strongest is the frequency in Hz that holds the largest part of the frame's
// power, if that is a third or more; else 0, as for noise. All of it lies above
// lowestTone.
func (s *spectrum) strongest(pcm []int16, rate int) float64 {
	if n := min(len(pcm), spectrumSize); rate != s.rate || n != len(s.window) {
		s.rate, s.window = rate, window(n)
	}
	s.transform(pcm)
	first := lowestTone*spectrumSize/rate + 1
	peak, total := first, 0.0
	for k := first; k < half; k++ {
		total += s.power[k]
		if s.power[k] > s.power[peak] {
			peak = k
		}
	}
	around := 0.0
	for k := max(first, peak-lobe); k <= min(half-1, peak+lobe); k++ {
		around += s.power[k]
	}
	if total == 0 || around < total/3 || peak == half-1 {
		return 0
	}
	// The peak of the parabola through three points of the logarithm.
	a, b, c := math.Log(s.power[peak-1]+1), math.Log(s.power[peak]+1), math.Log(s.power[peak+1]+1)
	offset := 0.0
	if bend := a - 2*b + c; bend < 0 {
		offset = max(-0.5, min(0.5, (a-c)/(2*bend)))
	}
	return (float64(peak) + offset) * float64(rate) / spectrumSize
}

const (
	lowestTone = 100 // Hz: below it lie hum, and an offset of the samples
	lobe       = 2   // points on either side of a tone's peak that are its own
)

// transform fills s.power from the beginning of a frame.
func (s *spectrum) transform(pcm []int16) {
	for i := range s.z {
		var re, im float64
		if k := 2 * i; k+1 < len(s.window) {
			re, im = float64(pcm[k])*s.window[k], float64(pcm[k+1])*s.window[k+1]
		}
		s.z[bits.Reverse8(uint8(i))>>1] = complex(re, im)
	}
	for size := 2; size <= half; size *= 2 {
		step := spectrumSize / size
		for from := 0; from < half; from += size {
			low, high := s.z[from:from+size/2], s.z[from+size/2:from+size]
			for i := range low {
				t := high[i] * turns[i*step]
				low[i], high[i] = low[i]+t, low[i]-t
			}
		}
	}
	// What the two halves of the samples add up to.
	for k := 1; k < half; k++ {
		a, b := s.z[k], s.z[half-k]
		even := complex(real(a)+real(b), imag(a)-imag(b))
		odd := complex(imag(a)+imag(b), real(b)-real(a))
		x := even + turns[k]*odd
		s.power[k] = (real(x)*real(x) + imag(x)*imag(x)) / 4
	}
}
