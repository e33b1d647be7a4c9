// Package resample changes the sample rate of a signal, piece by piece.
package resample

import (
	"math"
	"runtime"
)

// The filter is a sinc in a Kaiser window. With these values it passes up to
// 0.42 of the lower rate (3.4 kHz of 8 kHz), and what would alias is 60 dB
// down.
const (
	crossings  = 24    // of zero, on each side
	beta       = 5.65  // the window's shape
	cutoff     = 0.924 // of half the lower rate: the middle of the slope
	mostPhases = 640   // of the table; 11025 to 48000 Hz needs all of them
)

// Resampler converts one signal. It keeps the end of each piece for the next,
// so the pieces may have any length. It is not safe for concurrent use.
type Resampler struct {
	up, down int       // to : from in lowest terms
	phases   int       // rows of the table
	taps     int       // length of a row
	table    []float32 // phases × taps
	history  []float32 // input not yet out of the filter's reach
	position int       // of the next output, in 1/up input samples from history's begin
}

// New makes a converter between two rates in Hz, both above 0. Making one for
// rates that have little in common takes milliseconds; it yields meanwhile.
func New(from, to int) *Resampler {
	g := gcd(from, to)
	r := &Resampler{up: to / g, down: from / g}
	r.phases = min(r.up, mostPhases)
	stretch := max(1, float64(from)/float64(to)) // when going down, the filter is as much longer
	half := int(math.Ceil(crossings * stretch))
	r.taps = 2 * half
	r.table = make([]float32, r.phases*r.taps)
	for p := range r.phases {
		row := r.table[p*r.taps : (p+1)*r.taps]
		fill(row, float64(p)/float64(r.phases), half, stretch)
		runtime.Gosched() // a phone's clock shares this processor
	}
	r.history = make([]float32, half-1, 8*r.taps) // silence before the first sample
	return r
}

// fill computes the filter for an output that lies fraction of a sample after
// the input in the middle, and makes it pass a constant unchanged.
func fill(row []float32, fraction float64, half int, stretch float64) {
	var sum float64
	for i := range row {
		x := (float64(i-half+1) - fraction) / stretch // in samples of the lower rate
		w := x / crossings
		if w <= -1 || w >= 1 {
			continue
		}
		v := sinc(cutoff*x) * bessel(beta*math.Sqrt(1-w*w))
		row[i] = float32(v)
		sum += v
	}
	for i := range row {
		row[i] /= float32(sum)
	}
}

// Process appends to dst what src becomes. The output lags behind by half the
// filter: 24 samples of the lower rate.
func (r *Resampler) Process(dst, src []int16) []int16 {
	for _, x := range src {
		r.history = append(r.history, float32(x))
	}
	for {
		at := r.position / r.up
		if at+r.taps > len(r.history) {
			break
		}
		phase := r.position % r.up * r.phases / r.up
		row := r.table[phase*r.taps : (phase+1)*r.taps]
		in := r.history[at : at+len(row)]
		var a, b float32 // two sums, so that one addition need not wait for the other
		for i := 0; i+1 < len(row); i += 2 {
			a += row[i] * in[i]
			b += row[i+1] * in[i+1]
		}
		dst = append(dst, clip(a+b))
		r.position += r.down
	}
	done := min(r.position/r.up, len(r.history))
	r.history = r.history[:copy(r.history, r.history[done:])]
	r.position -= done * r.up
	return dst
}

func clip(v float32) int16 {
	return int16(math.Round(float64(max(-32768, min(32767, v)))))
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel is the modified Bessel function of order zero, by its power series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-9*sum; k++ {
		term *= x * x / (4 * k * k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
